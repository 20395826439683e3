"""Audits: what the outputs reveal besides the prediction."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from os import fspath
from typing import Any, Literal, NamedTuple, Optional, Union

from numpy.typing import ArrayLike

from . import _native
from ._check import describe, natural, naturals
from ._files import write_bytes
from ._observed import Bins, Outputs, exact, named, of_arrays, of_data
from ._progress import Progress, callback
from .certificates import Certificate
from .compiled import CompiledNetwork
from .data import Dataset, Path
from .errors import AuditError
from .networks import Network


class Finding(NamedTuple):
    """One attacker's accuracy, with its baselines; percent, except ``advantage``."""

    #: Name of the family.
    family: str
    #: ``"pooled"``: all items, main label given; ``"class"``: items of one main class.
    scope: str
    #: The main class, in scope ``"class"``.
    main_class: Optional[str]
    accuracy: float
    #: 95 % interval.
    low: float
    high: float
    #: The best guess from the main label alone.
    chance: float
    #: ``(accuracy − chance) / (100 − chance)``: 0 at chance, 1 at certainty.
    advantage: float

    def __str__(self) -> str:
        place = f" within {self.main_class!r}" if self.main_class is not None else ""
        interval = f"{self.accuracy:.1f} % ({self.low:.1f} to {self.high:.1f})"
        return f"{self.family}{place} {interval}, chance {self.chance:.1f} %"


class AuditReport:
    """Everything that an audit measured; displays itself in a notebook."""

    def __init__(self, native: _native.AuditReport) -> None:
        self._native = native
        self._values: dict[str, Any] = json.loads(native.to_json())

    @classmethod
    def from_json(cls, text: str) -> AuditReport:
        """Reads the output of :meth:`to_json` or ``halflight audit --report``. Raises ``OptionError``."""
        return cls(_native.AuditReport.from_json(text))

    @property
    def strongest(self) -> Finding:
        """The strongest attacker of either scope, chosen on held-out training items."""
        return _finding(self._values["strongest"])

    @property
    def strongest_pooled(self) -> Finding:
        """The strongest attacker over all items, the main label given."""
        return _finding(self._values["strongest_pooled"])

    @property
    def strongest_class(self) -> Optional[Finding]:
        """The strongest attacker within one main class."""
        found = self._values["strongest_class"]
        return None if found is None else _finding(found)

    @property
    def strongest_balanced(self) -> Optional[Finding]:
        """The attacker that would be right most often if all values were equally frequent; accuracies are balanced."""
        found = self._values.get("strongest_balanced")
        return None if found is None else _finding(found)

    @property
    def main_label(self) -> Optional[dict[str, float]]:
        """What the main label alone reveals over all items: ``accuracy``, ``balanced_accuracy``, ``most_frequent``; percent."""
        found: Optional[dict[str, float]] = self._values.get("main_label")
        return found

    @property
    def continuous(self) -> Optional[dict[str, Any]]:
        """How well a numeric attribute is predicted as a number: R², rank correlation, mean error."""
        found: Optional[dict[str, Any]] = self._values.get("continuous")
        return found

    @property
    def attackers(self) -> list[dict[str, Any]]:
        """Every attacker in both scopes: accuracy, interval, AUC, TPR at FPR 0.001, bits."""
        return list(self._values["attackers"])

    @property
    def vote(self) -> list[dict[str, Any]]:
        """Accuracy on one subject from k of its items, for every k that the test items allow."""
        return list(self._values["vote"])

    @property
    def attributes(self) -> list[AuditReport]:
        """The reports on further attributes; the intervals of their findings and of these hold for all at once."""
        return [AuditReport.from_json(json.dumps(values)) for values in self._values.get("attributes", [])]

    @property
    def members(self) -> Optional[dict[str, Any]]:
        """The control attack: accuracy on items that the network learned from and on others, their difference, the risk."""
        found: Optional[dict[str, Any]] = self._values.get("members")
        return found

    @property
    def parity(self) -> Optional[dict[str, float]]:
        """How predictions differ between values of the attribute: ``distance``, that of the ``labels``, ``odds``."""
        found: Optional[dict[str, float]] = self._values.get("parity")
        return found

    @property
    def warnings(self) -> list[str]:
        """Data that the audit should not rest on, and outputs that are far finer than anything needs, in words."""
        fine = (self.precision or {}).get("warning")
        return [*self._values.get("warnings", []), *([] if fine is None else [str(fine)])]

    @property
    def controls(self) -> dict[str, Finding]:
        """The strongest attacker over all items, of everything that was attacked for comparison."""
        controls = self._values["controls"]
        each = [controls["shuffled"], *controls["others"]]
        return {control["name"]: _finding(control["strongest_pooled"]) for control in each if control is not None}

    @property
    def reconstruction(self) -> Optional[dict[str, Any]]:
        """How well inputs can be rebuilt from outputs, if requested."""
        found: Optional[dict[str, Any]] = self._values.get("reconstruction")
        return found

    @property
    def certificate(self) -> Optional[Certificate]:
        """The certificate, if requested."""
        found = self._values.get("certificate")
        return None if found is None else Certificate(json.dumps(found))

    @property
    def floor(self) -> Optional[Finding]:
        """The same procedure with shuffled labels: what it finds where there is nothing to find."""
        shuffled = self._values["controls"]["shuffled"]
        return None if shuffled is None else _finding(shuffled["strongest_pooled"])

    @property
    def precision(self) -> Optional[dict[str, Any]]:
        """Bits that outputs open, that the main label needs, that noise covers, and that are idle; None for floats."""
        found: Optional[dict[str, Any]] = self._values.get("precision")
        return found

    @property
    def warning(self) -> Optional[str]:
        """All :attr:`warnings` as one text."""
        return " ".join(self.warnings) or None

    def to_dict(self) -> dict[str, Any]:
        """The whole report."""
        values: dict[str, Any] = json.loads(self.to_json())
        return values

    def to_json(self) -> str:
        """The whole report, as ``halflight audit --json`` prints it."""
        return self._native.to_json()

    def html(self, title: Optional[str] = None) -> str:
        """A self-contained page with pictures, no script and no other file."""
        return self._native.html(title or self._title())

    def _title(self) -> str:
        values = self._values
        *rest, last = [values["attribute"], *(other["attribute"] for other in values.get("attributes", []))]
        about = f"{', '.join(rest)} and {last}" if rest else last
        return f"What {values['network']} reveals about {about}"

    def save(self, path: Path) -> None:
        """Writes the page, or JSON if the name ends in ``.json``."""
        text = self.to_json() if fspath(path).endswith(".json") else self.html()
        write_bytes(fspath(path), text.encode())

    def _repr_html_(self) -> str:
        page = html.escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:640px;border:1px solid #8888"></iframe>'

    def __repr__(self) -> str:
        warning = f"; warning: {self.warning}" if self.warning else ""
        others = "".join(f"; {report._values['attribute']}: {report.strongest}" for report in self.attributes)
        return f"<AuditReport on {self._values['attribute']}: strongest {self.strongest}{others}{warning}>"


def _finding(values: Mapping[str, Any]) -> Finding:
    fields = ("accuracy", "low", "high", "chance", "advantage")
    return Finding(values["family"], values["scope"], values["class"], *(values[field] for field in fields))


Audited = Union[CompiledNetwork, Network]
Items = Union[Dataset, tuple[ArrayLike, ArrayLike, Any]]


def audit(
    network: Optional[Audited],
    train: Items,
    test: Items,
    *,
    main: str = "character",
    collateral: Union[str, Sequence[str], None] = None,
    unlisted: bool = False,
    bins: Bins = None,
    families: Union[Literal["quick", "full"], Sequence[str]] = "quick",
    undefended: Union[Audited, tuple[ArrayLike, ArrayLike], None] = None,
    members: Optional[Items] = None,
    reconstruction: Optional[bool] = None,
    controls: Optional[bool] = None,
    certify: bool = False,
    repeated: bool = False,
    seeds: Optional[Sequence[int]] = None,
    train_limit: Optional[int] = None,
    test_limit: Optional[int] = None,
    vote: Sequence[int] = (1, 5, 20, 50, 140),
    control: bool = True,
    growth: Optional[bool] = None,
    noise: Optional[Sequence[float]] = None,
    name: Optional[str] = None,
    progress: Progress = None,
) -> AuditReport:
    """Trains fresh attackers of many kinds on a network's outputs and reports the strongest.

    Parameters
    ----------
    network : CompiledNetwork, Network or None
        Network whose outputs are attacked; None to give your own outputs.
    train, test : Dataset, or (outputs, main, collateral)
        Items that attackers learn from and are scored on; use items that the network never saw. Without a
        network: outputs ``[N, S]``, an array of N main labels, and the attribute, or a mapping or pandas table of
        several. Integers, and outputs in floats that are whole numbers, are taken to the last bit; other floats are
        rounded to 32 bits, and attackers that read digits take no part. Labels are strings, booleans, whole numbers, or
        floats with ``bins``.
    main : str
        The label of a data set that everyone may know.
    collateral : str or list of str
        The attribute that attackers try to learn, ``"font"`` by default; for arrays, its name. The report is about the
        first one; the others are in ``report.attributes``, and intervals hold for all at once.
    unlisted : bool
        Also attack every other label of the data sets, which was not considered when the network was defended.
    bins : int, or mapping of name to int
        Cuts attributes that are measured into so many parts with equally many training items.
    families : "quick", "full" or list of str
        Such as ``["knn-15", "forest-5", "mlp-64x32"]``; see :func:`families`. "full" also takes three seeds and the growth
        curve, rebuilds inputs and attacks the controls where the items are at hand, unless you say otherwise.
    undefended : CompiledNetwork, Network, or (outputs of train, outputs of test)
        An undefended network of the same items: attackers map outputs to its outputs first (de-censoring), and its own
        leak is reported beside.
    members : Dataset, or (outputs, main, collateral)
        Items that the network learned from, for a control attack: what it tells about them and not about others, it has
        memorised.
    reconstruction : bool
        Rebuild inputs from outputs; needs data sets.
    controls : bool
        Also attack a random network of the same shape and the raw inputs, for comparison; needs data sets and a
        compiled network.
    certify : bool
        Also bound every attacker, known or not, as :func:`halflight.certify` does, on both data sets, or on ``test`` alone
        where the network learned from the other; needs a compiled network with noise.
    repeated : bool
        With ``certify``: the population has few values, so that items which repeat each other are draws of their own.
    seeds : sequence of int
        Random seeds, 0 by default; each is a whole run of the panel, and figures are means.
    train_limit, test_limit : int, optional
        Most items used.
    vote : sequence of int
        Items per subject, 1 to 10,000; numbers that exceed the test items of some value are left out.
    control : bool
        Repeat with shuffled labels: what the procedure finds where there is nothing to find.
    growth : bool
        Also learn from growing parts of the items.
    noise : sequence of S float, optional
        Deviation of the noise in every output, to tell which bits it covers; a compiled network's own by default.
    name : str, optional
        The report's name for the outputs; by default derived from the arguments.

    Returns
    -------
    AuditReport

    Raises
    ------
    AuditError
        Unsound labels or outputs; the message names split, field and row.

    An audit measures what known attackers learn about the given attributes; it is not a proof. Figures grow with the
    size of ``train``: quote both.
    """
    asked = [collateral] if isinstance(collateral, str) else list(collateral or [])
    if len(set(asked)) < len(asked):
        raise ValueError(f"`collateral` names an attribute twice: {', '.join(asked)}")
    if isinstance(train, Dataset) and isinstance(test, Dataset):
        if network is None:
            raise TypeError("without a network, give (outputs, main, collateral)")
        names = asked or ["font"]
        names += [other for other in train.names if unlisted and other not in (main, *names)]
        if members is not None and not isinstance(members, Dataset):
            raise TypeError(f"`members` is {describe(members)}: give a data set, as `train` is")
        of_main, *columns = (of_data(label, train, test, members) for label in (main, *names))
        learned = None if members is None else _outputs(network, members)
        seen = (_outputs(network, train), _outputs(network, test))
        items = (train._native, test._native)
    elif isinstance(train, tuple) and isinstance(test, tuple) and len(train) == len(test) == 3:
        if network is not None:
            raise TypeError("a network reads data sets: give two, or None for the network with outputs of your own")
        attributes, tested = named(train[2], asked, "attribute"), named(test[2], asked, "attribute")
        absent = [label for label in attributes if label not in tested]
        if absent:
            raise AuditError(f"the test items have no attribute `{absent[0]}`", "NoLabel")
        sides: dict[str, Any] = {"train": train, "test": test}
        if members is not None:
            if not isinstance(members, tuple) or len(members) != 3:
                raise TypeError(f"`members` is {describe(members)}: give (outputs, main, collateral), as `train` is")
            sides["members"] = members
        of_main = of_arrays("main", {side: given[1] for side, given in sides.items()}, None)
        given = {"train": attributes, "test": tested}
        if members is not None:
            given["members"] = named(members[2], list(attributes), "attribute")
        columns = [of_arrays(label, {side: of[label] for side, of in given.items()}, bins) for label in attributes]
        learned = None if members is None else exact(members[0])
        seen = (exact(train[0]), exact(test[0]))
        items = None
    else:
        raise TypeError(
            f"`train` is {describe(train)} and `test` {describe(test)}: give two data sets, or twice (outputs, main, collateral)"
        )
    compiled = network if isinstance(network, CompiledNetwork) else None
    if certify and (compiled is None or compiled.main != main):
        raise ValueError("`certify` needs a compiled network, and speaks of its own main label alone")
    if repeated and not certify:
        raise ValueError("`repeated` speaks of a certificate: ask for it with `certify=True`")
    full = families == "full"
    shown = None if undefended is None else _undefended(undefended, (train, test))
    first, *others = columns
    chosen = list(families) if not isinstance(families, str) else _native.families(families)
    if shown is not None and isinstance(families, str):
        chosen += _native.decensoring()
    native = _native.audit(
        (seen[0], of_main.train, first.train),
        (seen[1], of_main.test, first.test),
        (of_main.classes, first.classes),
        (name or _title(network), first.name),
        [other[:4] for other in others],
        items,
        None if compiled is None else compiled._native,
        shown,
        None if learned is None or of_main.members is None or first.members is None else (learned, of_main.members, first.members),
        (
            bool(full and items is not None if reconstruction is None else reconstruction),
            bool(full and items is not None and compiled is not None if controls is None else controls),
            bool(certify),
            bool(repeated),
        ),
        chosen,
        naturals((0, 1, 2) if full and seeds is None else (0,) if seeds is None else seeds, "seeds"),
        (_limit(train_limit, "train_limit"), _limit(test_limit, "test_limit")),
        naturals(vote, "vote"),
        bool(control),
        bool(full if growth is None else growth),
        [] if noise is None else [float(deviation) for deviation in noise],
        callback(progress, "auditing"),
    )
    return AuditReport(native)


def _limit(value: Optional[int], name: str) -> Optional[int]:
    return None if value is None else natural(value, name)


def _outputs(network: Audited, items: Dataset) -> Outputs:
    return exact(network.evaluate(items) if isinstance(network, CompiledNetwork) else network.outputs(items))


def _undefended(given: Any, items: tuple[Any, Any]) -> tuple[Outputs, Outputs]:
    if isinstance(given, tuple) and len(given) == 2:
        return exact(given[0]), exact(given[1])
    if not isinstance(given, (CompiledNetwork, Network)):
        raise TypeError(f"`undefended` is {describe(given)}: give a network, or its outputs of train and test")
    if not all(isinstance(side, Dataset) for side in items):
        raise TypeError("an undefended network reads data sets: give its outputs of train and test")
    return _outputs(given, items[0]), _outputs(given, items[1])


def _title(network: Optional[Audited]) -> str:
    if network is None:
        return "given outputs"
    if isinstance(network, CompiledNetwork):
        return f"{network.main} network {network.hash[:8]}"
    return f"{network.record['options']['main']} network in floats"


def families(panel: str = "quick") -> list[str]:
    """Names of the families of a panel, ``"quick"`` or ``"full"``."""
    return _native.families(panel)
