"""Models from scikit-learn: any whose decision is a polynomial of degree at most 2, pipelines included.

Linear and logistic regression, linear support vectors, discriminant analysis (linear and quadratic), Gaussian naive
Bayes, polynomial features and kernels of degree 2, after any scalers and projections. The model is not taken apart: its
decision is evaluated at as many points as a quadratic form has coefficients, and at some more, which verify the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import sklearn

from . import _chain as chain
from ._check import instance
from ._forms import Forms, Layer, network
from .data import Dataset, Encoder
from .errors import ImportFailed
from .networks import Network

#: Inputs beyond which a quadratic form has too many coefficients to ask for.
MOST_INPUTS = 1024
#: Eigenvalues below this fraction of the largest are rounding.
_RANK = 1e-9
#: Items asked for at a time.
_BATCH = 20_000


def load(
    model: Any,
    data: Dataset,
    *,
    encoder: Optional[Encoder] = None,
    main: str = "digit",
    collateral: Sequence[str] = (),
) -> Network:
    """A fitted classifier as a network that :func:`halflight.compile` takes.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted on ``z`` of the encoder, ``[N, n − 1]``, with classes equal to those of ``main``, as names or indices.
    data : Dataset
        Labelled items: the accuracy is measured and the model compared on them.
    encoder : Encoder, optional
        By default ``Encoder.pixels`` of the data's size: ``z = pixel / 255``, flattened.
    main, collateral : str, list of str
        Label columns for compiling and audits.

    Returns
    -------
    Network
        One unit for every class of a linear model; for a quadratic one as many squares as its forms have eigenvalues.
        ``difference`` is the largest difference from the model's own decisions, as a fraction of the largest decision.

    Raises
    ------
    ImportFailed
        The decision is not a polynomial of degree 2, or its classes are not those of the data.
    """
    encoder = encoder or Encoder.pixels(*instance(data, Dataset, "data").size)
    columns = encoder.inputs[0] - 1
    names = data.classes(main)
    order = _order(model, names)
    low, step, _ = encoder.grid
    items = low + step * encoder.encode(data[:256])[0][:, 1:].astype(np.float64)
    ask = _Asked(model, columns)
    constant, linear = ask.linear(items)
    quadratic = None
    if not chain.close(constant + items @ linear.T, ask(items)):
        quadratic = ask.quadratic(constant, linear)
    forms, head = _linear(constant, linear) if quadratic is None else _squares(constant, linear, quadratic)
    found = chain.logits(forms, head, items)
    difference = chain.difference(found, ask(items))
    random = ask.random(items)
    if not max(difference, chain.difference(chain.logits(forms, head, random), ask(random))) <= 1e-4:
        raise ImportFailed(
            f"{type(model).__name__}: its decision is not a polynomial of degree 2 (the nearest differs by {difference:.1e} of the "
            "largest on items of the data): under encryption there are sums and products only"
        )
    head = _ordered(chain.two_logits(head, forms, len(names)), forms, order)
    source = f"scikit-learn {sklearn.__version__}, {type(model).__name__}"
    made = network(forms, head, encoder=encoder, data=data, main=main, collateral=collateral, source=source)
    made.difference = difference
    return made


def _order(model: Any, names: list[str]) -> list[int]:
    """For every class of the data its index in the model."""
    try:
        classes = [str(name) for name in model.classes_]
    except AttributeError:
        raise ImportFailed(f"{type(model).__name__} has no classes_: give a fitted classifier") from None
    for wanted in (names, [str(index) for index in range(len(names))]):
        if sorted(classes) == sorted(wanted):
            return [classes.index(name) for name in wanted]
    raise ImportFailed(f"the model has the classes {classes}, but the data have {names}")


class _Asked:
    """A model's decisions as logits ``[N, C]``, or ``[N, 1]`` for two classes."""

    def __init__(self, model: Any, columns: int) -> None:
        self.columns = columns
        if columns > MOST_INPUTS:
            raise ImportFailed(f"{columns} inputs are more than {MOST_INPUTS}: pool, or keep fewer components")
        if callable(getattr(model, "decision_function", None)):
            self.decide = model.decision_function
        elif callable(getattr(model, "predict_log_proba", None)):
            self.decide = lambda rows: _relative(model.predict_log_proba(rows))
        else:
            raise ImportFailed(f"{type(model).__name__} has neither decision_function nor predict_log_proba")

    def __call__(self, rows: chain.Matrix) -> chain.Matrix:
        parts = [self._some(rows[start : start + _BATCH]) for start in range(0, len(rows), _BATCH)]
        return np.concatenate(parts)

    def _some(self, rows: chain.Matrix) -> chain.Matrix:
        try:
            found = np.asarray(self.decide(rows), dtype=np.float64)
        except ValueError as error:
            raise ImportFailed(f"the model refuses items of {self.columns} inputs: {error}") from error
        if not np.isfinite(found).all():
            raise ImportFailed("the model's decision is not finite everywhere: its densities reach 0")
        return found.reshape(len(rows), -1)

    def linear(self, items: chain.Matrix) -> tuple[chain.Matrix, chain.Matrix]:
        """The constant ``[C]`` and the odd part ``[C, n]``."""
        unit = np.eye(self.columns)
        constant = self(np.zeros((1, self.columns)))[0]
        return constant, ((self(unit) - self(-unit)) / 2).T

    def quadratic(self, constant: chain.Matrix, linear: chain.Matrix) -> chain.Matrix:
        """The symmetric matrices ``[C, n, n]``."""
        n = self.columns
        squares = self(np.eye(n)) - constant - linear.T
        forms = np.zeros((len(constant), n, n))
        rows, columns = np.triu_indices(n, 1)
        for start in range(0, len(rows), _BATCH):
            i, j = rows[start : start + _BATCH], columns[start : start + _BATCH]
            pairs = np.zeros((len(i), n))
            pairs[np.arange(len(i)), i] = pairs[np.arange(len(i)), j] = 1.0
            mixed = (self(pairs) - constant - linear.T[i] - linear.T[j] - squares[i] - squares[j]) / 2
            forms[:, i, j] = forms[:, j, i] = mixed.T
        forms[:, np.arange(n), np.arange(n)] = squares.T
        return forms

    def random(self, items: chain.Matrix) -> chain.Matrix:
        """Points that are not items."""
        rng = np.random.default_rng(self.columns)
        return rng.normal(size=(64, self.columns)) * max(1.0, float(np.abs(items).max(initial=0.0)))


def _relative(found: chain.Matrix) -> chain.Matrix:
    """Log probabilities relative to the first class, which cancels the normalisation."""
    return np.asarray(found[:, 1:] - found[:, :1]) if found.shape[1] == 2 else np.asarray(found - found[:, :1])


def _linear(constant: chain.Matrix, linear: chain.Matrix) -> tuple[Forms, list[Layer]]:
    """``(w·z + b)·1`` for every class."""
    classes, columns = linear.shape
    one: Layer = (np.zeros((classes, columns)), np.ones(classes))
    return Forms((linear, constant), one, (np.eye(classes), np.zeros(classes))), []


def _squares(constant: chain.Matrix, linear: chain.Matrix, forms: chain.Matrix) -> tuple[Forms, list[Layer]]:
    """Squares along the eigenvectors of ``[[b, w/2], [w/2, Q]]`` of every class."""
    rows: list[chain.Matrix] = []
    weights: list[tuple[int, float]] = []
    for index, form in enumerate(forms):
        whole = np.zeros((len(form) + 1, len(form) + 1))
        whole[0, 0], whole[0, 1:], whole[1:, 0], whole[1:, 1:] = constant[index], linear[index] / 2, linear[index] / 2, form
        values, vectors = np.linalg.eigh(whole)
        for value, vector in zip(values, vectors.T):
            if abs(value) > _RANK * np.abs(values).max(initial=0.0):
                rows.append(vector)
                weights.append((index, float(value)))
    if not rows:
        raise ImportFailed("the model gives every item the same decision")
    combine = np.zeros((len(forms), len(rows)))
    for unit, (index, value) in enumerate(weights):
        combine[index, unit] = value
    left = np.array(rows)
    return Forms((left[:, 1:], left[:, 0]), None, (combine, np.zeros(len(forms)))), []


def _ordered(head: list[Layer], forms: Forms, order: list[int]) -> list[Layer]:
    width = len(forms.combine[1])
    weight, bias = head[-1] if head else (np.eye(width), np.zeros(width))
    return [*head[:-1], (weight[order], bias[order])]
