"""An imported private part in floats, and its conversion to a network or to integers.

``q = D·((P·z + p) ∘ (R·z + r)) + d`` for the columns ``z`` of an encoder; squares have no ``R``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from . import _native
from .compiled import CompiledNetwork
from .data import Dataset, Encoder
from .errors import ImportFailed
from .networks import Network

Matrix = NDArray[np.float64]
#: Weight ``[out, in]`` and bias ``[out]``.
Layer = tuple[Matrix, Matrix]


@dataclass
class Forms:
    """The quadratic part: left and right projections, combination."""

    left: Layer
    right: Optional[Layer]
    combine: Layer

    def check(self, encoder: Encoder) -> None:
        """Checks that the projections fit the encoder."""
        columns = encoder.inputs[0] - 1
        for side, layer in (("left", self.left), ("right", self.right)):
            if layer is not None and layer[0].shape[1] != columns:
                raise ImportFailed(
                    f"the {side} projection reads {layer[0].shape[1]} inputs and the encoder makes {columns}: give the "
                    "encoder of the model's inputs, such as Encoder.pixels(height, width)"
                )
        kept = encoder.right
        if len(kept) < columns:
            if self.right is None:
                raise ImportFailed("squares read both sides alike: leave `right` out of the encoder")
            left_out = np.delete(self.right[0], kept, axis=1)
            if np.any(left_out):
                raise ImportFailed(
                    f"the right projection reads columns that the encoder's `v` does not carry ({len(kept)} of {columns})"
                )


def network(
    forms: Forms,
    head: Sequence[Layer],
    *,
    encoder: Encoder,
    data: Dataset,
    main: str,
    collateral: Sequence[str],
    source: str,
) -> Network:
    """The float network of a quadratic part and a head of linear layers with ReLU between them.

    The first layer of the head absorbs the combination's bias. Accuracy is measured on ``data``.
    """
    forms.check(encoder)
    right = forms.right
    if right is not None:
        right = (right[0][:, encoder.right], right[1])
    return Network(
        _native.Network.from_parts(
            _single(forms.left),
            None if right is None else _single(right),
            _single(forms.combine),
            [_single(layer) for layer in head],
            encoder._native,
            data._native,
            (main, list(collateral), source),
        )
    )


def _single(layer: Layer) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    with np.errstate(over="ignore"):  # Numbers beyond float32 become infinite and are refused, naming the layer.
        return tuple(np.ascontiguousarray(part, dtype=np.float32) for part in layer)  # type: ignore[return-value]


@dataclass
class Precision:
    """Bits of P, R (2 to 16) and D, signs included."""

    left: int = 4
    right: int = 4
    combine: int = 5


@dataclass
class Integers:
    """Integer matrices and the value of one integer step of every output: ``q ≈ worth·output + shift``."""

    P: NDArray[np.int32]
    R: Optional[NDArray[np.int32]]
    D: NDArray[np.int32]
    worth: Matrix
    shift: Matrix

    def compiled(self, encoder: Encoder, main: str, classes: Optional[Sequence[str]]) -> CompiledNetwork:
        """The integer network, without its own head."""
        return CompiledNetwork.from_integers(self.P, self.R, self.D, encoder=encoder, main=main, classes=classes)


def integers(forms: Forms, encoder: Encoder, data: Dataset, precision: Precision) -> Integers:
    """Rounds a quadratic part; the scales minimise the loss over the levels and products of ``data``.

    ``P_int = round(step·P / s)``, ``D_int = round(D·s·s' / t)``: one scale per unit and side, one per output.
    """
    forms.check(encoder)
    low, step, _ = encoder.grid
    u, v = (side.astype(np.float64) for side in encoder.encode(data))
    right = forms.right
    every = list(range(encoder.inputs[0] - 1))
    sides = [(forms.left, u, every, precision.left)]
    if right is not None:
        sides.append((right, v, encoder.right, precision.right))
    rows, scales, products = [], [], np.ones((len(data), forms.left[0].shape[0]))
    for (weight, bias), levels, kept, bits in sides:
        taken = np.asarray(weight, dtype=np.float64)[:, kept]
        constant = bias + low * taken.sum(axis=1)
        scale = best_scales(step * taken, (levels[:, 1:] ** 2).mean(axis=0), bits)
        rounded = round_to(step * taken, scale[:, None], bits)
        whole = np.concatenate([np.round(constant / scale)[:, None], rounded], axis=1)
        if np.abs(whole).max() > 2**31 - 1:
            raise ImportFailed("a bias exceeds 32 bits: choose more bits for the weights")
        rows.append(np.ascontiguousarray(whole, dtype=np.int32))
        scales.append(scale)
        products = products * (levels @ np.concatenate([constant[:, None], step * taken], axis=1).T)
    if right is None:
        products = products**2
    worth = scales[0] * (scales[1] if right is not None else scales[0])
    combine = np.asarray(forms.combine[0], dtype=np.float64) * worth
    worths = best_scales(combine, products.var(axis=0) / worth**2, precision.combine)
    D = round_to(combine, worths[:, None], precision.combine)
    return Integers(
        rows[0],
        rows[1] if right is not None else None,
        np.ascontiguousarray(D, dtype=np.int32),
        worths,
        np.asarray(forms.combine[1], dtype=np.float64),
    )


def largest(bits: int) -> int:
    """The largest absolute value of signed ``bits``: ``2^(bits−1) − 1``."""
    if not 2 <= bits <= 16:
        raise ImportFailed(f"precision is {bits}: choose from 2 to 16 bits")
    return (1 << (bits - 1)) - 1


def round_to(values: Matrix, scale: Any, bits: int) -> Matrix:
    """The nearest integers to ``values / scale`` that the bits hold."""
    limit = largest(bits)
    rounded: Matrix = np.clip(np.round(values / scale), -limit, limit)
    return rounded


def best_scales(rows: Matrix, importance: Matrix, bits: int) -> Matrix:
    """For each row the scale that minimises ``Σ importance·(value − scale·round(value / scale))²``.

    The library's own search, the same as for compiling: clipping a few large weights often costs less than a coarse
    grid for all the others.
    """
    return _native.best_scales(
        np.ascontiguousarray(rows, dtype=np.float64), np.ascontiguousarray(importance, dtype=np.float64), bits
    )
