"""Inputs on the grid of an encoder, and the initial scales of rounded weights."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import torch
from torch import Tensor

from .._forms import Precision, best_scales
from ..data import Dataset, Encoder

#: Weight and bias.
Layer = tuple[Tensor, Tensor]


def array(values: Any) -> Any:
    """Numbers of a tensor, or of anything else, as float64."""
    if isinstance(values, Tensor):
        return values.detach().cpu().double().numpy().reshape(values.shape)
    return np.asarray(values, dtype=np.float64)


def levels(encoder: Encoder, data: Dataset) -> Tensor:
    """Inputs on the encoder's grid, ``low + step · level``: float ``[N, n − 1]``, the values that are encrypted."""
    low, step, _ = encoder.grid
    return torch.from_numpy((low + step * encoder.encode(data)[0][:, 1:]).astype(np.float32))


def first_grid(
    weights: tuple[Layer, Optional[Layer], Tensor], encoder: Encoder, data: Dataset, precision: Precision
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The grid of a layer's rounded weights, and initial scales, chosen over the levels of ``data``."""
    low, step, _ = encoder.grid
    u, v = encoder.encode(data)
    (left, left_bias), right, combine = weights
    rows = [best_scales(step * array(left), (u[:, 1:].astype(float) ** 2).mean(0), precision.left)]
    z = low + step * u[:, 1:]
    product = z @ array(left).T + array(left_bias)
    if right is None:
        product = product**2
        worth = rows[0] ** 2
    else:
        rows.append(best_scales(step * array(right[0]), (v[:, 1:].astype(float) ** 2).mean(0), precision.right))
        product = product * ((low + step * v[:, 1:]) @ array(right[0]).T + array(right[1]))
        worth = rows[0] * rows[1]
    outputs = best_scales(array(combine) * worth, product.var(axis=0) / worth**2, precision.combine)
    tensors = [torch.as_tensor(scale, dtype=left.dtype, device=left.device) for scale in (*rows, outputs)]
    names = ["left", "right", "outputs"] if right is not None else ["left", "outputs"]
    bits = (precision.left, precision.right, precision.combine)
    return {"low": low, "step": step, "bits": bits}, dict(zip(names, tensors))
