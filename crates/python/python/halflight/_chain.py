"""What a model computes, followed through its layers: inputs, projections, products, forms, head.

The readers of PyTorch and ONNX walk a graph and call these functions; each returns the next value or says
why the layer does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ._forms import Forms, Layer
from .errors import ImportFailed

Matrix = NDArray[np.float64]

SHAPE = (
    "inputs (flattened, scaled), one or two linear layers, their square or product, a linear layer, then linear "
    "layers with ReLU between them"
)


@dataclass
class Projected:
    """An affine map of the inputs; ``None`` for a diagonal weight stands for the inputs themselves."""

    layer: Layer
    diagonal: bool = False


@dataclass
class Product:
    """Products of two affine maps, scaled: ``scale∘(P·z + p)∘(R·z + r) + shift``."""

    left: Layer
    right: Optional[Layer]
    scale: Matrix
    shift: Matrix


@dataclass
class Headed:
    """The private part and what the head did so far: affine layers, with ReLU after all but the last."""

    forms: Forms
    layers: list[Layer]
    #: Whether the last layer has a ReLU already.
    rectified: bool = False
    done: bool = False


Value = Union[Projected, Product, Headed]
VALUES = (Projected, Product, Headed)


def inputs(columns: int) -> Value:
    """The model's input."""
    return Projected((np.ones(columns), np.zeros(columns)), diagonal=True)


def linear(value: Value, weight: Matrix, bias: Optional[Matrix], what: str) -> Value:
    """A linear layer, weight ``[out, in]``."""
    width = _width(value)
    if weight.ndim != 2 or weight.shape[1] != width:
        raise ImportFailed(f"{what} reads {weight.shape[-1]} numbers and gets {width}: check the size of the images")
    shift = np.zeros(len(weight)) if bias is None else np.broadcast_to(bias, (len(weight),)).astype(float)
    if isinstance(value, Projected):
        if not value.diagonal:
            return Projected((weight @ value.layer[0], weight @ value.layer[1] + shift))
        return Projected((weight * value.layer[0], weight @ value.layer[1] + shift))
    if isinstance(value, Product):
        combine = (weight * value.scale, weight @ value.shift + shift)
        return Headed(Forms(value.left, value.right, combine), [])
    _open(value, what)
    if value.layers and not value.rectified:
        before = value.layers[-1]
        merged = (weight @ before[0], weight @ before[1] + shift)
        return replace(value, layers=[*value.layers[:-1], merged])
    return replace(value, layers=[*value.layers, (weight, shift)], rectified=False)


def multiply(a: Value, b: Value, what: str) -> Value:
    """The product of two projections, or the square of one."""
    if not (isinstance(a, Projected) and isinstance(b, Projected)):
        raise ImportFailed(f"{what} multiplies more than two projections of the input: keys open quadratic functions only")
    if a.diagonal or b.diagonal:
        raise ImportFailed(f"{what} multiplies the inputs themselves: put a linear layer before it")
    if a.layer[0].shape != b.layer[0].shape:
        raise ImportFailed(f"{what} multiplies {len(a.layer[0])} units by {len(b.layer[0])}: give both sides as many")
    units = len(a.layer[0])
    return Product(a.layer, None if a is b else b.layer, np.ones(units), np.zeros(units))


def scale(value: Value, factor: Any, shift: Any, what: str) -> Value:
    """Multiplies by a number or one per column, then adds: a normalisation, a scaling of the inputs."""
    width = _width(value)
    factor, shift = (_columns(number, width, what) for number in (factor, shift))
    if isinstance(value, Projected):
        weight, bias = value.layer
        scaled = weight * factor if value.diagonal else weight * factor[:, None]
        return Projected((scaled, bias * factor + shift), value.diagonal)
    if isinstance(value, Product):
        return replace(value, scale=value.scale * factor, shift=value.shift * factor + shift)
    return linear(value, np.diag(factor), shift, what)


def relu(value: Value, what: str) -> Value:
    """A rectifier of the head."""
    if not isinstance(value, Headed):
        raise ImportFailed(f"{what} comes before the private part ends: under encryption there are sums and products only")
    _open(value, what)
    if value.rectified:
        return value
    width = _width(value)
    layers = value.layers or [(np.eye(width), np.zeros(width))]
    return replace(value, layers=layers, rectified=True)


def last(value: Value, what: str) -> Value:
    """Softmax at the end: the head has its own."""
    if not isinstance(value, Headed):
        raise ImportFailed(f"{what} comes before the private part ends: under encryption there are sums and products only")
    return replace(value, done=True)


def finish(value: Value) -> tuple[Forms, list[Layer]]:
    """The private part and the layers of the head of a whole model."""
    if not isinstance(value, Headed):
        raise ImportFailed(f"the model has no private part: {SHAPE}")
    if value.rectified:
        raise ImportFailed("the model ends with ReLU: end it with a linear layer")
    return value.forms, value.layers


def _open(value: Headed, what: str) -> None:
    if value.done:
        raise ImportFailed(f"{what} comes after softmax: end the model with softmax, or with its logits")


def _width(value: Value) -> int:
    if isinstance(value, Projected):
        return len(value.layer[0])
    if isinstance(value, Product):
        return len(value.scale)
    return len(value.layers[-1][0]) if value.layers else len(value.forms.combine[0])


def _columns(number: Any, width: int, what: str) -> Matrix:
    array = np.asarray(number, dtype=np.float64)
    if array.size == 1:
        return np.full(width, float(array.reshape(())))
    if array.size != width:
        raise ImportFailed(f"{what} has {array.size} numbers for {width} columns: give one, or one per column")
    return array.reshape(width)
