"""Audits: what the outputs give away besides the prediction."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from os import fspath
from typing import Any, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._files import write_bytes
from ._progress import Progress, callback
from .compiled import CompiledNetwork
from .data import Dataset, Path
from .networks import Network


class Finding(NamedTuple):
    """One attacker's accuracy, with what it is to be compared with; percent, but for ``advantage``."""

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
    """Everything an audit measured: in a notebook it shows itself."""

    def __init__(self, native: _native.AuditReport) -> None:
        self._native = native
        self._values: dict[str, Any] = json.loads(native.to_json())

    @classmethod
    def from_json(cls, text: str) -> AuditReport:
        """Reads what :meth:`to_json` or ``halflight audit --report`` wrote. Raises ``OptionError``."""
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
        """The attacker that tells most if every value were as frequent; accuracies are balanced ones."""
        found = self._values.get("strongest_balanced")
        return None if found is None else _finding(found)

    @property
    def main_label(self) -> Optional[dict[str, float]]:
        """What the main label alone tells over all items: ``accuracy``, ``balanced_accuracy``, ``most_frequent``; percent."""
        found: Optional[dict[str, float]] = self._values.get("main_label")
        return found

    @property
    def continuous(self) -> Optional[dict[str, Any]]:
        """How well an attribute of numbers is guessed as a number: R², rank correlation, mean error."""
        found: Optional[dict[str, Any]] = self._values.get("continuous")
        return found

    @property
    def attackers(self) -> list[dict[str, Any]]:
        """Every attacker in both scopes: accuracy, interval, AUC, TPR at FPR 0.001, bits."""
        return list(self._values["attackers"])

    @property
    def vote(self) -> list[dict[str, Any]]:
        """Accuracy about one subject from k of its items."""
        return list(self._values["vote"])

    @property
    def floor(self) -> Optional[Finding]:
        """The same procedure with shuffled labels: what it finds where there is nothing."""
        shuffled = self._values["controls"]["shuffled"]
        return None if shuffled is None else _finding(shuffled["strongest_pooled"])

    @property
    def precision(self) -> Optional[dict[str, Any]]:
        """Bits that outputs open, that the main label needs, that noise covers, and that are idle; None for floats."""
        found: Optional[dict[str, Any]] = self._values.get("precision")
        return found

    @property
    def warning(self) -> Optional[str]:
        """What to know about outputs that are far finer than anything needs, in words."""
        warning: Optional[str] = (self.precision or {}).get("warning")
        return warning

    def to_dict(self) -> dict[str, Any]:
        """The whole report."""
        values: dict[str, Any] = json.loads(self.to_json())
        return values

    def to_json(self) -> str:
        """The whole report, as ``halflight audit --json`` prints it."""
        return self._native.to_json()

    def html(self, title: Optional[str] = None) -> str:
        """A self-contained page with pictures, no script and no other file."""
        names = self._values
        return self._native.html(title or f"What {names['network']} gives away about {names['attribute']}")

    def save(self, path: Path) -> None:
        """Writes the page, or JSON if the name ends in ``.json``."""
        text = self.to_json() if fspath(path).endswith(".json") else self.html()
        write_bytes(fspath(path), text.encode())

    def _repr_html_(self) -> str:
        page = html.escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:640px;border:1px solid #8888"></iframe>'

    def __repr__(self) -> str:
        warning = f"; warning: {self.warning}" if self.warning else ""
        return f"<AuditReport on {self._values['attribute']}: strongest {self.strongest}{warning}>"


def _finding(values: Mapping[str, Any]) -> Finding:
    fields = ("accuracy", "low", "high", "chance", "advantage")
    return Finding(values["family"], values["scope"], values["class"], *(values[field] for field in fields))


Audited = Union[CompiledNetwork, Network]


def audit(
    network: Optional[Audited],
    train: Union[Dataset, tuple[ArrayLike, ArrayLike, ArrayLike]],
    test: Union[Dataset, tuple[ArrayLike, ArrayLike, ArrayLike]],
    *,
    main: str = "character",
    collateral: str = "font",
    families: Union[str, Sequence[str]] = "quick",
    seeds: Sequence[int] = (0,),
    train_limit: Optional[int] = None,
    test_limit: Optional[int] = None,
    vote: Sequence[int] = (1, 5, 20, 50, 140),
    control: bool = True,
    growth: bool = False,
    noise: Optional[Sequence[float]] = None,
    name: Optional[str] = None,
    progress: Progress = None,
) -> AuditReport:
    """Trains fresh attackers of many families on a network's outputs and reports the strongest.

    Parameters
    ----------
    network : CompiledNetwork, Network or None
        Whose outputs; None to give outputs of one's own.
    train, test : Dataset, or (outputs, main, collateral)
        Items that attackers learn from and are scored on; best such that the network never saw. Without a
        network: outputs ``[N, S]`` and two arrays of N class indices. Integers, and floats that are whole numbers, are
        taken to the last bit; other floats are rounded to 32 bits, and attackers that read digits take no part.
    main, collateral : str
        The label that everyone may know, and the label that attackers are after.
    families : "quick", "full" or list of str
        Such as ``["knn-15", "forest-5", "mlp-64x32"]``; see :func:`families`.
    seeds : sequence of int
        One whole run of the panel each; figures are means.
    train_limit, test_limit : int, optional
        Most items used.
    vote : sequence of int
        Items per subject, 1 to 10,000.
    control : bool
        Repeat with shuffled labels: the floor of the procedure.
    growth : bool
        Also learn from growing parts of the items.
    noise : sequence of S float, optional
        Deviation of the noise in every output, to tell which bits it covers; a compiled network's own by default.

    Returns
    -------
    AuditReport

    Raises
    ------
    AuditError
        Labels or outputs that are not sound; the message names split, field and row.

    An audit measures what named attributes lose to known attackers; it is no proof. Figures grow with the
    size of ``train``: quote both.
    """
    first, classes = _split(network, train, main, collateral)
    second, classes_of_test = _split(network, test, main, collateral)
    if isinstance(train, tuple):
        classes = tuple(max(a, b, key=len) for a, b in zip(classes, classes_of_test))  # type: ignore[assignment]
    chosen = _native.families(families) if isinstance(families, str) else list(families)
    title = name or ("outputs" if network is None else "network")
    native = _native.audit(
        first,
        second,
        classes,
        (title, collateral),
        chosen,
        list(seeds),
        (train_limit, test_limit),
        list(vote),
        control,
        growth,
        _noise(network) if noise is None else [float(deviation) for deviation in noise],
        callback(progress, "auditing"),
    )
    return AuditReport(native)


_Outputs = Union[NDArray[np.int64], NDArray[np.float32]]
_Split = tuple[_Outputs, NDArray[np.int64], NDArray[np.int64]]
_Classes = tuple[list[str], list[str]]


def _split(network: Optional[Audited], items: Any, main: str, collateral: str) -> tuple[_Split, _Classes]:
    if isinstance(items, Dataset):
        if network is None:
            raise TypeError("without a network, give (outputs, main, collateral)")
        outputs = network.evaluate(items) if isinstance(network, CompiledNetwork) else network.outputs(items)
        classes = (items.classes(main), items.classes(collateral))
        return (exact(outputs), items.labels(main), items.labels(collateral)), classes
    outputs, of_main, of_collateral = items
    labels = tuple(np.ascontiguousarray(side, dtype=np.int64) for side in (of_main, of_collateral))
    names = tuple([str(value) for value in range(int(side.max(initial=-1)) + 1)] for side in labels)
    return (exact(outputs), labels[0], labels[1]), (names[0], names[1])


def exact(outputs: ArrayLike) -> _Outputs:
    """Whole numbers in 64 bits, as keys open them; anything else in 32-bit floats."""
    values = np.asarray(outputs)
    if values.dtype.kind == "O":
        values = np.asarray(outputs, dtype=np.int64 if _all_int(values) else np.float64)
    if values.dtype.kind == "u" and values.size and int(values.max()) >= 2**63:
        raise ValueError(f"an output is {int(values.max())}: whole numbers have 63 bits and a sign")
    if values.dtype.kind in "iub":
        return np.ascontiguousarray(values, dtype=np.int64)
    if values.size and np.isfinite(values).all() and (np.abs(values) < 2.0**63).all() and (values == np.round(values)).all():
        return np.ascontiguousarray(values, dtype=np.int64)
    return np.ascontiguousarray(values, dtype=np.float32)


def _all_int(values: NDArray[Any]) -> bool:
    return all(isinstance(value, (int, np.integer)) for value in values.flat)


def _noise(network: Optional[Audited]) -> list[float]:
    if not isinstance(network, CompiledNetwork):
        return []
    noise = json.loads(network.encoder.to_json()).get("noise")
    return [float(deviation) for deviation in noise["deviations"]] if noise else []


def families(panel: str = "quick") -> list[str]:
    """Names of the families of a panel, ``"quick"`` or ``"full"``."""
    return _native.families(panel)
