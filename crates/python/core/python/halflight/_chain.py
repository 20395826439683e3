"""What a model computes, followed through its operations: inputs, products, head.

The readers run the model's own operations, one by one, on *probes*: the zero item, every unit item, and a few items of
the data and at random. As long as everything computed so far is an affine map of the variables of a stage, the first
rows give that map exactly, and the last ones verify it. A product of two maps ends the stage of the inputs. The first
operation that mixes products ends the stage of the products and is the cut: everything before it is encrypted,
everything after it is public.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ._forms import Forms, Layer
from .errors import ImportFailed

Matrix = NDArray[np.float64]

SHAPE = (
    "linear operations on the inputs, one square or product of two results, linear operations, and for the head linear "
    "operations with ReLU between them"
)

#: Items of the data, and as many at random, on which every map is proven.
ITEMS = 3
#: What a map may be off there, as a fraction of the largest number.
TOLERANCE = 1e-5
#: More numbers in one unrolled operation are refused: two gigabytes.
MOST_NUMBERS = 1 << 28


@dataclass(eq=False)
class Inputs:
    """The encoded inputs ``z``; checks ``[K, count]`` are items."""

    checks: Matrix


@dataclass(eq=False)
class Products:
    """The units; squares have no right side."""

    checks: Matrix
    left: Layer
    right: Optional[Layer]


@dataclass(eq=False)
class Head:
    """The part after the cut: the variables are outputs, or results of a ReLU."""

    checks: Matrix
    forms: Forms
    #: Each with ReLU after it.
    layers: list[Layer] = field(default_factory=list)


Stage = Union[Inputs, Products, Head]


@dataclass(eq=False)
class Traced:
    """A value of the model on the probes of a stage, ``[1 + count + K, …]``, numpy or torch."""

    stage: Stage
    rows: Any
    #: The softmax or the like that ended the model.
    ended: str = ""


class Unfit(ImportFailed):
    """An operation that does not run on items of this shape."""


class Tries:
    """The attempts with every shape that an item may have; raises the most informative error."""

    def __init__(self, otherwise: str) -> None:
        self._found: tuple[tuple[int, bool], ImportFailed] = ((-1, False), ImportFailed(otherwise))

    def failed(self, done: int, error: ImportFailed) -> None:
        """The number of operations done."""
        rank = (done, not isinstance(error, Unfit))
        if rank > self._found[0]:
            self._found = (rank, error)

    @property
    def error(self) -> ImportFailed:
        """The one that got furthest."""
        return self._found[1]


def begin(stage: Stage, shape: tuple[int, ...]) -> Traced:
    """The variables of a stage, in the model's shape."""
    count = stage.checks.shape[1]
    rows = np.concatenate([np.zeros((1, count)), np.eye(count), stage.checks])
    return Traced(stage, rows.reshape(len(rows), *shape))


def inputs(items: Matrix, shape: tuple[int, ...]) -> Traced:
    """The model's input; ``items`` ``[N, n − 1]`` come from the data."""
    items = items[:ITEMS]
    random = np.random.default_rng(items.shape[1]).normal(size=(ITEMS, items.shape[1]))
    return begin(Inputs(np.concatenate([items, random * max(1.0, np.abs(items).max(initial=0.0))])), shape)


def affine(stage: Stage, rows: Any, what: str) -> Layer:
    """The map ``[out, count]``, ``[out]`` from a stage's variables to these rows."""
    count = stage.checks.shape[1]
    if rows.ndim == 0 or len(rows) != 1 + count + len(stage.checks):
        raise ImportFailed(f"{what} mixes the items of a batch: keep the first axis unchanged")
    if rows.size > MOST_NUMBERS:
        raise ImportFailed(f"{what} unrolls to {rows.size} weights, more than {MOST_NUMBERS}: make the model smaller")
    flat = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    if not np.isfinite(flat).all():
        raise ImportFailed(f"{what} gives numbers that are not finite")
    bias, weight, found = flat[0], (flat[1 : 1 + count] - flat[0]).T, flat[1 + count :]
    if not close(apply((weight, bias), stage.checks), found):
        if isinstance(stage, Head):
            raise ImportFailed(f"{what} has no place in the head. Supported are {SHAPE}; any head by `halflight.torch.cut`")
        raise ImportFailed(f"{what} {_EARLY}. Supported are {SHAPE}")
    return np.ascontiguousarray(weight), bias.copy()


_EARLY = "comes before the private part ends: under encryption there are sums and products only"


def apply(layer: Layer, rows: Matrix) -> Matrix:
    """``rows·Wᵀ + b``."""
    result: Matrix = rows @ layer[0].T + layer[1]
    return result


def close(a: Matrix, b: Matrix) -> bool:
    """Equal up to rounding."""
    return difference(a, b) <= TOLERANCE


def difference(a: Matrix, b: Matrix) -> float:
    """The largest difference, as a fraction of the largest number."""
    scale = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)), 1e-30)
    return float(np.abs(a - b).max(initial=0.0)) / scale


def after(value: Traced, rows: Any, what: str) -> Traced:
    """The result of an operation on a value; a mixture of products is the cut."""
    unended(value, what)
    layer = affine(value.stage, np.asarray(rows), what)
    stage = value.stage
    if isinstance(stage, Products) and (np.count_nonzero(layer[0], axis=1) > 1).any():
        forms = Forms(stage.left, stage.right, layer)
        return begin(Head(apply(layer, stage.checks), forms), tuple(rows.shape[1:]))
    return Traced(stage, rows)


def multiply(a: Traced, b: Traced, what: str) -> Traced:
    """The product of two results, element by element, or the square of one."""
    if not (isinstance(a.stage, Inputs) and a.stage is b.stage):
        raise ImportFailed(f"{what} multiplies more than two projections of the input: keys open quadratic functions only")
    sides = [np.asarray(value.rows) for value in (a, b)]
    try:
        shape = np.broadcast_shapes(*(side.shape for side in sides))
    except ValueError:
        raise ImportFailed(f"{what} multiplies {sides[0].shape[1:]} numbers by {sides[1].shape[1:]}: both need the same shape") from None
    left, right = (affine(a.stage, np.broadcast_to(side, shape), what) for side in sides)
    squares = a is b or all(np.array_equal(x, y) for x, y in zip(left, right))
    checks = apply(left, a.stage.checks) * apply(right, a.stage.checks)
    return begin(Products(checks, left, None if squares else right), shape[1:])


def relu(value: Traced, what: str) -> Traced:
    """A rectifier of the head."""
    unended(value, what)
    if not isinstance(value.stage, Head):
        raise ImportFailed(f"{what} {_EARLY}")
    stage, rows = value.stage, np.asarray(value.rows)
    layer = affine(stage, rows, what)
    checks = np.maximum(apply(layer, stage.checks), 0.0)
    return begin(Head(checks, stage.forms, [*stage.layers, layer]), rows.shape[1:])


def last(value: Traced, kind: str, what: str) -> Traced:
    """Softmax and similar functions at the end: the head has its own."""
    unended(value, what)
    if isinstance(value.stage, Inputs):
        raise ImportFailed(f"{what} {_EARLY}")
    return Traced(value.stage, value.rows, kind)


def unended(value: Traced, what: str) -> None:
    """Refuses operations after softmax."""
    if value.ended:
        raise ImportFailed(f"{what} comes after softmax: end the model with softmax, or with its logits")


def finish(value: Traced) -> tuple[Forms, list[Layer]]:
    """The private part, and the layers of the head with ReLU between them."""
    stage, layer = value.stage, None
    if isinstance(stage, Inputs):
        raise ImportFailed(f"the model has no private part: {SHAPE}")
    layer = affine(stage, np.asarray(value.rows), "the model's output")
    if isinstance(stage, Products):
        return Forms(stage.left, stage.right, layer), []
    plain = np.array_equal(layer[0], np.eye(len(layer[1]))) and not layer[1].any()
    if plain and stage.layers:
        raise ImportFailed("the model ends with ReLU: end it with a linear layer")
    return stage.forms, stage.layers if plain else [*stage.layers, layer]


def two_logits(layers: list[Layer], forms: Forms, classes: int) -> list[Layer]:
    """A single logit as two, whose softmax is its sigmoid."""
    width = len((layers[-1] if layers else forms.combine)[1])
    if width != 1 or classes != 2:
        return layers
    half = np.array([[-0.5], [0.5]])
    if not layers:
        return [(half, np.zeros(2))]
    weight, bias = layers[-1]
    return [*layers[:-1], (half @ weight, half @ bias)]


def outputs(forms: Forms, z: Matrix) -> Matrix:
    """``q`` of items ``[N, n − 1]``, in floats of 64 bits."""
    left = apply(forms.left, z)
    return apply(forms.combine, left * (left if forms.right is None else apply(forms.right, z)))


def logits(forms: Forms, layers: list[Layer], z: Matrix) -> Matrix:
    """The result of the whole model before softmax."""
    value = outputs(forms, z)
    for index, layer in enumerate(layers):
        value = apply(layer, np.maximum(value, 0.0) if index else value)
    return value
