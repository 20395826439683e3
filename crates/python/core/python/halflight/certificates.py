"""Certificates: bounds that hold for every attacker, known or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import fspath
from typing import Any, Literal, Optional, Union

from . import _native
from ._check import instance, natural, naturals
from ._files import write_bytes
from ._progress import Progress, callback
from .compiled import CompiledNetwork
from .data import Dataset, Path


class Certificate:
    """Upper bounds, in percent, on the accuracy of every attacker that reads one attribute."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, Any] = json.loads(text)

    @property
    def bound(self) -> float:
        """No attacker is right more often about one item, main classes and values alike."""
        return float(self._values["pooled"]["bound"])

    @property
    def auc(self) -> float:
        """No attacker's score has a larger area under its curve."""
        return float(self._values["pooled"]["auc"])

    @property
    def weighted(self) -> Optional[float]:
        """The bound for classes and values as frequent as in the data, if requested."""
        found = self._values.get("weighted")
        return None if found is None else float(found["bound"])

    @property
    def classes(self) -> dict[str, float]:
        """The bound within every main class."""
        return {found["class"]: float(found["bound"]) for found in self._values["classes"]}

    @property
    def votes(self) -> dict[int, float]:
        """The bound for k items of one subject, whatever their main classes."""
        return {int(found["k"]): float(found["bound"]) for found in self._values["votes"]}

    @property
    def growth(self) -> Optional[dict[str, Any]]:
        """Certificates of growing parts of the items and the limit of their estimates, if they were asked for."""
        found: Optional[dict[str, Any]] = self._values.get("growth")
        return found

    @property
    def mixed_votes(self) -> dict[int, float]:
        """The bound for k items of one subject whose main classes are drawn at random, all alike, as an audit's votes are."""
        return {int(found["k"]): float(found["mixed"]) for found in self._values["votes"] if "mixed" in found}

    @property
    def confidence(self) -> float:
        """Chance, from 0 to 1, that all bounds hold at once."""
        return float(self._values["confidence"])

    @property
    def maximal_leakage_bits(self) -> float:
        """Most bits that one item reveals about any attribute, including those that nobody listed."""
        return float(self._values["maximal_leakage_bits"])

    @property
    def assumptions(self) -> list[str]:
        """The assumptions of the bounds."""
        return list(self._values["assumptions"])

    def to_dict(self) -> dict[str, Any]:
        """Everything, as ``halflight certify --json`` prints it."""
        values: dict[str, Any] = json.loads(self.to_json())
        return values

    def to_json(self) -> str:
        """Everything as JSON."""
        return json.dumps(self._values)

    def save(self, path: Path) -> None:
        """Writes the JSON."""
        write_bytes(fspath(path), self.to_json().encode())

    def __repr__(self) -> str:
        pooled = self._values["pooled"]
        confidence = 100 * self.confidence
        return f"<Certificate: no attacker above {self.bound:.2f} %, {pooled['items']} items, confidence {confidence:g} %>"


def certify(
    network: Union[CompiledNetwork, Sequence[CompiledNetwork]],
    data: Optional[Dataset] = None,
    *,
    collateral: str = "font",
    draw: Optional[int] = None,
    confidence: float = 0.999,
    points: int = 10_000,
    votes: Sequence[int] = (5, 20, 50, 140),
    prior: Literal["alike", "sampled"] = "alike",
    growth: Optional[int] = None,
    seed: int = 0,
    overall: bool = False,
    repeated: bool = False,
    progress: Progress = None,
) -> Certificate:
    """Bounds the accuracy of every attacker, with any computing power and any amount of data.

    Parameters
    ----------
    network : CompiledNetwork, or several
        With noise on every output; several that open the same ciphertext are certified together.
    data : Dataset, optional
        Items that neither trained nor selected nor tuned the network.
    collateral : str
        The label that attackers try to learn.
    draw : int, optional
        Instead of ``data``: draw this many images like the training images.
    confidence : float
        Confidence that all bounds hold at once.
    points : int
        Evaluation points for every main class.
    votes : sequence of int
        Also bound these numbers of items of one subject.
    prior : "alike" or "sampled"
        "sampled" adds a bound for classes and values as frequent as in the data.
    growth : int, optional
        Also certify this many parts of the items, each twice as large as the last.
    seed : int
        Random seed of drawn images and evaluation points; choose it before you look.
    overall : bool
        Over all items at once, without the main label: bounds demographic parity too, for predictions of any kind.
    repeated : bool
        Allow repeated items, because the population itself has few values.

    Returns
    -------
    Certificate

    Raises
    ------
    CertificateError
        No noise, items that the network has seen or that repeat each other, too few items.
    """
    if (data is None) == (draw is None):
        raise TypeError("give data, or the number of images to draw")
    if prior not in ("alike", "sampled"):
        raise ValueError(f"prior is {prior!r}: choose 'alike' or 'sampled'")
    networks = [network] if isinstance(network, CompiledNetwork) else list(network)
    for one in networks:
        instance(one, CompiledNetwork, "network")
    text = _native.certify(
        [one._native for one in networks],
        None if data is None else instance(data, Dataset, "data")._native,
        natural(draw or 0, "draw"),
        collateral,
        float(confidence),
        natural(points, "points"),
        naturals(votes, "votes", 2**32 - 1),
        prior == "sampled",
        None if growth is None else natural(growth, "growth", 2**32 - 1),
        natural(seed, "seed"),
        bool(overall),
        bool(repeated),
        callback(progress, "certifying"),
    )
    return Certificate(text)
