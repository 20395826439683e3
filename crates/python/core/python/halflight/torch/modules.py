"""The private part as a torch module."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Optional

import torch
from torch import Tensor, nn

from .._forms import Precision
from .rounding import first_grid


class PrivateQuadratic(nn.Module):  # type: ignore[misc, unused-ignore]
    """``q = D·((P·z + p) ∘ (R·z + r))``, the only part that runs under encryption.

    Parameters
    ----------
    inputs : int
        Columns of ``z``, ``Encoder.inputs[0] − 1``.
    units, outputs : int
        d (two pairings each under encryption) and S (one discrete logarithm each).
    kind : {"bilinear", "squares"}
        Squares have ``R = P``, as in the paper.
    right : sequence of int, optional
        The columns that the right side reads, ``Encoder.right``; by default all.

    Input float ``[N, inputs]`` (other axes are flattened), output float ``[N, S]``.

    Initial weights: projections N(0, 1/inputs), biases N(0, 1/4), D uniform by fan-in. With :meth:`quantise`
    the forward pass reads rounded weights and the gradient goes to the floats (straight through).
    Sources: Ryffel et al. 2019, section 3 (squares); Esser et al. 2020, learned step sizes (scales).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 4,
        units: int = 64,
        kind: str = "bilinear",
        right: Optional[Sequence[int]] = None,
    ) -> None:
        super().__init__()
        if kind not in ("bilinear", "squares"):
            raise ValueError(f"kind {kind!r}: choose bilinear or squares")
        if kind == "squares" and right is not None:
            raise ValueError("squares read both sides alike: leave `right` out")
        self.left = nn.Linear(inputs, units)
        self.right = nn.Linear(len(right) if right is not None else inputs, units) if kind == "bilinear" else None
        self.combine = nn.Linear(units, outputs, bias=False)
        self.columns: Optional[Tensor]
        self.register_buffer("columns", None if right is None else torch.tensor(list(right)))
        # The step of inputs and integers, and the logarithms of one scale per unit and per output.
        self.grid: Optional[dict[str, Any]] = None
        self.scales = nn.ParameterDict()
        with torch.no_grad():
            for projection in filter(None, (self.left, self.right)):
                projection.weight.normal_(0.0, 1.0 / math.sqrt(projection.in_features))
                projection.bias.normal_(0.0, 0.5)

    def forward(self, z: Tensor) -> Tensor:
        """Outputs ``[N, S]`` of inputs ``[N, inputs]``."""
        z = z.flatten(1)
        narrow = z if self.columns is None else z[:, self.columns]
        left, right, combine = self.weights()
        first = nn.functional.linear(z, *left)
        second = first if right is None else nn.functional.linear(narrow, *right)
        return nn.functional.linear(first * second, combine)

    def weights(self) -> tuple[tuple[Tensor, Tensor], Optional[tuple[Tensor, Tensor]], Tensor]:
        """Left and right weight and bias, and D, in the forward pass."""
        right = None if self.right is None else (self.right.weight, self.right.bias)
        if self.grid is None:
            return (self.left.weight, self.left.bias), right, self.combine.weight
        bits, (left, other, outputs) = self.grid["bits"], self.steps()
        first = self._rounded(self.left, left, bits[0])
        second = None if self.right is None else self._rounded(self.right, other, bits[1])
        return first, second, straight(self.combine.weight, outputs[:, None] / (left * other), bits[2])

    def steps(self) -> tuple[Tensor, Tensor, Tensor]:
        """The value of one integer step: in the rows of the left and of the right side, and in each output."""
        left, outputs = self.scales["left"].exp(), self.scales["outputs"].exp()
        return left, self.scales["right"].exp() if self.right is not None else left, outputs

    def _rounded(self, projection: nn.Linear, scale: Tensor, bits: int) -> tuple[Tensor, Tensor]:
        assert self.grid is not None
        low, step = self.grid["low"], self.grid["step"]
        weight = straight(projection.weight, scale[:, None] / step, bits)
        # The bias absorbs `low`, and is rounded like it.
        constant = straight(projection.bias + low * projection.weight.sum(1), scale, None)
        return weight, constant - low * weight.sum(1)

    def quantise(self, encoder: Any, data: Any, left: int = 4, right: int = 4, combine: int = 5) -> PrivateQuadratic:
        """Switches to rounded weights of this many bits (signs included); continue training with inputs on the encoder's grid.

        ``encoder`` is a :class:`halflight.Encoder`, ``data`` a :class:`halflight.Dataset` over which the scales are
        optimised. Inputs of the forward pass should be ``low + step · level`` (:func:`halflight.torch.levels`).

        The logarithms of the scales become parameters, ``scales.*``: make the optimiser afterwards. A fifth of the
        weights' learning rate suits them, because one scale moves a whole row.
        """
        self.grid = None
        self.grid, scales = first_grid(self.weights(), encoder, data, Precision(left, right, combine))
        self.scales = nn.ParameterDict({name: nn.Parameter(scale.log()) for name, scale in scales.items()})
        return self


def straight(values: Tensor, scale: Tensor, bits: Optional[int]) -> Tensor:
    """``scale·round(values / scale)`` within the bits; the gradient of ``values`` passes where nothing is clipped."""
    steps = values / scale
    if bits is not None:
        limit = 2 ** (bits - 1) - 1
        # At most half a step beyond, so that a clipped weight can come back.
        steps = steps.clamp(-limit - 0.499, limit + 0.499)
    return (steps + (steps.round() - steps).detach()) * scale
