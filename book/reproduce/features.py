#!/usr/bin/env python3
"""What attackers with endless data could gain from outputs, by kind of difference.

features.py FILE [LENGTH]

FILE comes from `halflight audit NETWORK … --outputs FILE --outputs-only`. Within every main class, of whitened outputs,
(d')² = Δᵀ·Σ⁻¹·Δ is what the best linear attacker gains on their means, their moments up to the second and the third, and
300 random Fourier features with frequencies of deviation LENGTH (0.6); without bias, since only products of different
tenths of the items count. Mean over classes, between the first two values of the attribute. Needs numpy and safetensors.
"""

import sys

import numpy as np
from safetensors.numpy import load_file

TENTHS = 10
data = load_file(sys.argv[1])
length = float(sys.argv[2]) if len(sys.argv) > 2 else 0.6
width = data["train_outputs"].shape[1]
rng = np.random.default_rng(0)
frequencies, phases = length * rng.normal(size=(width, 300)), rng.uniform(0, 2 * np.pi, 300)


def moments(w, order):
    """All products of up to `order` columns."""
    products, last = [], [(np.ones(len(w)), 0)]
    for _ in range(order):
        last = [(product * w[:, column], column) for product, start in last for column in range(start, w.shape[1])]
        products += [product for product, _ in last]
    return np.stack(products, 1)


FEATURES = {
    "means": lambda w: w,
    "moments 1, 2": lambda w: moments(w, 2),
    "moments 1 to 3": lambda w: moments(w, 3),
    f"Fourier {length}": lambda w: np.cos(w @ frequencies + phases),
}


def gain(features, values, tenths):
    features = features - features.mean(0)
    spread = np.cov(features.T)
    spread += 1e-6 * np.trace(spread) / len(spread) * np.eye(len(spread))
    factor = np.linalg.cholesky(spread)
    between = [features[tenth & (values == 1)].mean(0) - features[tenth & (values == 0)].mean(0) for tenth in tenths]
    between = np.linalg.solve(factor, np.array(between).T).T
    total = between.sum(0)
    return (total @ total - (between**2).sum()) / (TENTHS * (TENTHS - 1))


print("| items | " + " | ".join(FEATURES) + " |\n|" + "---|" * (1 + len(FEATURES)))
for part in ("train", "test"):
    outputs, main, collateral = (data[f"{part}_{what}"] for what in ("outputs", "main", "collateral"))
    gains = []
    for digit in np.unique(main):
        q, values = outputs[main == digit].astype(float), collateral[main == digit]
        w = np.linalg.solve(np.linalg.cholesky(np.cov(q.T)), (q - q.mean(0)).T).T
        place = np.arange(len(w)) * TENTHS // len(w)
        tenths = [place == tenth for tenth in range(TENTHS)]
        gains.append([gain(of(w), values, tenths) for of in FEATURES.values()])
    print(f"| {part}, {len(main):,} | " + " | ".join(f"{value:.4f}" for value in np.mean(gains, 0)) + " |")
