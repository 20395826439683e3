"""A private part read from elsewhere, in floats, and its way into a network or into integers.

``q = D·((P·z + p) ∘ (R·z + r)) + d`` for the columns ``z`` of an encoder; squares have no ``R``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from . import safetensors
from ._native import __version__
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
        """That the projections read what the encoder makes."""
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

    The first layer of the head takes the combination's bias up. Accuracy is measured on ``data``.
    """
    forms.check(encoder)
    classes = data.classes(main)
    (units, _), width = forms.left[0].shape, forms.combine[0].shape[0]
    layers = list(head) or [(np.eye(width), np.zeros(width))]
    weight, bias = layers[0]
    layers[0] = (weight, bias + weight @ forms.combine[1])
    if layers[-1][0].shape[0] != len(classes):
        raise ImportFailed(
            f"the head gives {layers[-1][0].shape[0]} logits and label `{main}` has {len(classes)} classes: {classes}"
        )
    tensors = {"left.weight": forms.left[0], "left.bias": forms.left[1], "combine.weight": forms.combine[0]}
    if forms.right is not None:
        tensors.update({"right.weight": forms.right[0][:, encoder.right], "right.bias": forms.right[1]})
    for index, (weight, bias) in enumerate(layers):
        tensors.update({f"head.{index}.weight": weight, f"head.{index}.bias": bias})
    kind = "squares" if forms.right is None else "bilinear"
    options = {"main": main, "collateral": list(collateral), "kind": kind, "units": units, "outputs": width}
    options["head"] = [layer[0].shape[0] for layer in layers[:-1]]
    record: dict[str, Any] = {
        "main": main,
        "collateral": list(collateral),
        "options": options,
        "data": {"generator": source},
        "items": len(data),
        "data_hash": "",
        "steps": 0,
        "accuracy": 0.0,
        "neighbours": None,
        "chance": None,
        "version": __version__,
    }
    about = {"format": "halflight network", "version": 1, "units": kind, "classes": classes}
    stored = {name: np.ascontiguousarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}

    def read() -> Network:
        text = json.dumps({**about, "encoder": json.loads(encoder.to_json()), "record": record})
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "network.safetensors")
            safetensors.save(path, stored, {"halflight": text})
            return Network.load(path)

    record["accuracy"] = read().accuracy(data)
    return read()


@dataclass
class Precision:
    """Bits of P, R (2 to 16) and D, signs included."""

    left: int = 4
    right: int = 4
    combine: int = 5


@dataclass
class Integers:
    """Integer matrices and what one integer step of every output is worth: ``q ≈ worth·output + shift``."""

    P: NDArray[np.int32]
    R: Optional[NDArray[np.int32]]
    D: NDArray[np.int32]
    worth: Matrix
    shift: Matrix

    def compiled(self, encoder: Encoder, main: str, classes: Optional[Sequence[str]]) -> CompiledNetwork:
        """The integer network, without a head of its own."""
        return CompiledNetwork.from_integers(self.P, self.R, self.D, encoder=encoder, main=main, classes=classes)


def integers(forms: Forms, encoder: Encoder, data: Dataset, precision: Precision) -> Integers:
    """Rounds a quadratic part; scales lose least over the levels and products of ``data``.

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
            raise ImportFailed("a bias leaves 32 bits: choose more bits for the weights")
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

    36 shares of the scale that clips nothing are tried: clipping a few large weights often costs less than a
    coarse grid for all the others.
    """
    reach = np.abs(rows).max(axis=1) / largest(bits)
    reach[reach == 0] = 1.0
    best: Matrix = reach.copy()
    least = np.full(len(rows), np.inf)
    for share in range(5, 41):
        scale = reach * share / 40
        rest = rows - scale[:, None] * round_to(rows, scale[:, None], bits)
        error = (rest**2) @ importance
        better = error < least
        best[better], least[better] = scale[better], error[better]
    return best
