"""Defences as losses: terms to add to the main loss so that the outputs reveal nothing about an attribute."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn

#: At most this many distances are looked at for a median.
_MEDIAN_SAMPLE = 8192

#: Fraction of the mean variance that is added in every direction before correlations are taken out.
_FLOOR = 1e-2

#: Items per output below which a covariance means nothing.
_LEAST_ROWS = 4


class Matching(nn.Module):  # type: ignore[misc, unused-ignore]
    """Makes the outputs of one main class look the same for every value of the attribute; no adversary.

    For each main class, with A and B the outputs of two values of the attribute::

        MMD²(A, B) = mean k(a, a') + mean k(b, b') − 2·mean k(a, b)          (i ≠ j, hence unbiased)
        k(x, y)    = mean over s of exp(−|x − y|²·3^s / med)                 s = 0 .. scales − 1
        pairing    = E|a_i − b_i|² / (2·tr Cov of the class)
        loss       = weight·MMD² + share·pairing

    averaged over pairs of values and over classes; ``med``, the median squared distance within the class, and the
    total variance are constants for the gradient. With ``paired``, item i of every value of a class is the same
    drawing, and the terms ``k(a_i, b_i)`` are left out. With ``whiten``, MMD² is that of ``L⁻¹·q``, outputs without the
    correlations within their class (``L·Lᵀ = Cov + 0.01·tr Cov / S``, constant for the gradient): attackers remove them
    too.

    Parameters
    ----------
    weight : float
        λ, of MMD².
    scales : int
        Kernel widths, each a third of the previous one in squared distance; 1 to 16.
    pairing : float
        Weight of the pairing loss relative to λ, used only with ``paired``.
    whiten, paired : bool

    ``forward(q, main, collateral)``: outputs float ``[N, S]`` (normalise them over the batch first), class
    indices ``[N]`` each; a scalar. Use 100 items or more for each class and value. Values and gradients equal
    those of the library's own training.
    """

    def __init__(
        self, weight: float = 30.0, scales: int = 6, pairing: float = 0.3, whiten: bool = True, paired: bool = False
    ) -> None:
        super().__init__()
        self.weight = weight
        self.whiten = whiten
        self.scales = scales
        self.pairing = pairing
        self.paired = paired

    def forward(self, q: Tensor, main: Tensor, collateral: Tensor) -> Tensor:
        """The loss of one batch."""
        losses = []
        for label in torch.unique(main):
            of_class = main == label
            cells = [q[of_class & (collateral == value)] for value in torch.unique(collateral[of_class])]
            if len(cells) > 1:
                losses.append(self._of_class(cells))
        return torch.stack(losses).mean() if losses else q.sum() * 0.0

    def _of_class(self, cells: list[Tensor]) -> Tensor:
        if self.paired and len({len(cell) for cell in cells}) > 1:
            raise ValueError("paired: give as many items of every value, in the same order, for each main class")
        if min(len(cell) for cell in cells) < 2:
            raise ValueError("matching needs at least two items of every class and value in the batch")
        every = torch.cat(cells)
        seen = torch.split(_white(every), [len(cell) for cell in cells]) if self.whiten else cells
        median = _median(torch.cat(list(seen)).detach())

        def kernel(a: Tensor, b: Tensor) -> Tensor:
            squared = ((a[:, None] - b[None, :]) ** 2).sum(-1)
            widths = [torch.exp(-squared * 3.0**scale / median) for scale in range(self.scales)]
            return torch.stack(widths).mean(0)

        within = [_off_diagonal(kernel(cell, cell)) for cell in seen]
        pairs = list(combinations(range(len(cells)), 2))
        loss = torch.zeros((), dtype=every.dtype, device=every.device)
        for a, b in pairs:
            between = kernel(seen[a], seen[b])
            between = _off_diagonal(between) if self.paired else between.mean()
            loss = loss + self.weight * (within[a] + within[b] - 2 * between) / len(pairs)
        if self.paired:
            spread = every.detach().var(dim=0, unbiased=False).sum()
            for a, b in pairs:
                distance = ((cells[a] - cells[b]) ** 2).sum(-1).mean()
                loss = loss + self.pairing * distance / (2 * spread) / len(pairs)
        return loss


def _white(rows: Tensor) -> Tensor:
    """Rows with decorrelated columns; unchanged if there are too few, or no spread."""
    fixed = rows.detach()
    items, outputs = rows.shape
    covariance = torch.cov(fixed.T, correction=0).reshape(outputs, outputs)
    spread = covariance.trace() / outputs
    if items < _LEAST_ROWS * outputs or not 0 < spread < torch.inf:
        return rows
    factor = torch.linalg.cholesky(covariance + _FLOOR * spread * torch.eye(outputs, dtype=rows.dtype, device=rows.device))
    white: Tensor = torch.linalg.solve_triangular(factor, rows.T, upper=False).T
    return white


def _off_diagonal(kernel: Tensor) -> Tensor:
    items = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (items * (items - 1))


def _median(rows: Tensor) -> Tensor:
    """The median squared distance of two rows, over all pairs or an even sample of them."""
    first, second = torch.triu_indices(len(rows), len(rows), 1, device=rows.device).unbind()
    stride = max(1, -(-len(first) // _MEDIAN_SAMPLE))
    squared = ((rows[first[::stride]] - rows[second[::stride]]) ** 2).sum(-1)
    return squared.sort().values[len(squared) // 2].clamp_min(torch.finfo(torch.float32).tiny)


def sabotage_loss(
    main_logits: Tensor,
    main: Tensor,
    adversary_logits: list[Tensor],
    collateral: Tensor,
    weight: float = 1.7,
    kind: str = "paper",
) -> Tensor:
    """The loss that the private part minimises against simulated adversaries, which are constants in this step.

    ``L_main − α·mean L_collateral`` ("paper", "ensemble"), or ``L_main + α·mean cross-entropy(uniform, adversary)``
    ("maxent": smallest when the adversaries' predictions are uniform). Logits ``[N, C]`` and ``[N, values]``, labels
    ``[N]``. The adversaries of training are no evidence of privacy: audit with fresh attackers.
    Source: Ryffel et al. 2019, section 4.
    """
    if kind not in ("paper", "ensemble", "maxent"):
        raise ValueError(f"kind {kind!r}: choose paper, ensemble or maxent")
    cross_entropy = nn.functional.cross_entropy
    loss: Tensor = cross_entropy(main_logits, main)
    for logits in adversary_logits:
        if kind == "maxent":
            against = -nn.functional.log_softmax(logits, dim=1).mean()
        else:
            against = -cross_entropy(logits, collateral)
        loss = loss + weight / len(adversary_logits) * against
    return loss
