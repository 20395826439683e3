"""Reference losses, gradients and optimiser steps by PyTorch, for the parity tests of this crate.

    pip install torch && python parity.py > parity.json

Weights and inputs follow `pattern`, so that only results need storing. Everything is float64 here.
"""

import json
import math
import sys

import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)


def pattern(seed, shape, scale=1.0):
    count = math.prod(shape)
    values = [scale * math.sin(seed + 0.7 * i) for i in range(count)]
    # Rounded to float32 first: both sides start from the same numbers.
    return torch.tensor(values, dtype=torch.float32).double().reshape(shape)


def leaf(*arguments):
    return pattern(*arguments).requires_grad_()


def flat(tensor):
    return [float(v) for v in tensor.detach().reshape(-1)]


def head(q, layers):
    for index, (weight, bias) in enumerate(layers):
        q = q @ weight + bias
        if index + 1 < len(layers):
            q = functional.relu(q)
    return q


def network(kind, normalised):
    batch, features, units, outputs, hidden, classes = 6, 5, 4, 3, 7, 4
    x = torch.cat([torch.ones(batch, 1), pattern(1, (batch, features))], dim=1)
    labels = torch.tensor([0, 1, 2, 3, 1, 2])
    weights = {"left": leaf(2, (1 + features, units), 0.6)}
    if kind == "bilinear":
        weights["right"] = leaf(3, (1 + features, units), 0.6)
    weights["combine"] = leaf(4, (units, outputs), 0.8)
    layers = [(leaf(5, (outputs, hidden)), leaf(6, (hidden,))), (leaf(7, (hidden, classes)), leaf(8, (classes,)))]
    left = x @ weights["left"]
    right = x @ weights["right"] if kind == "bilinear" else left
    raw = (left * right) @ weights["combine"]
    q = functional.batch_norm(raw, None, None, training=True) if normalised else raw
    loss = functional.cross_entropy(head(q, layers), labels)
    loss.backward()
    gradients = {name: flat(w.grad) for name, w in weights.items()}
    for index, (weight, bias) in enumerate(layers):
        gradients[f"head.{index}.weight"] = flat(weight.grad)
        gradients[f"head.{index}.bias"] = flat(bias.grad)
    return {"kind": kind, "normalised": normalised, "q": flat(q), "loss": loss.item(), "gradients": gradients}


def convolutional():
    batch, outputs, values = 3, 4, 2
    shapes = [
        ("junction", (outputs, 784)),
        ("convolution.0", (20, 1, 5, 5)),
        ("convolution.1", (50, 20, 5, 5)),
        ("hidden", (800, 500)),
        ("last", (500, values)),
    ]
    weights = {}
    for index, (name, shape) in enumerate(shapes):
        units = shape[0] if len(shape) == 4 else shape[1]
        weights[name + ".weight"] = leaf(index, shape, 0.1)
        weights[name + ".bias"] = leaf(index + 10, (units,), 0.1)
    q = leaf(20, (batch, outputs))
    image = (q @ weights["junction.weight"] + weights["junction.bias"]).reshape(batch, 1, 28, 28)
    for layer in range(2):
        image = functional.conv2d(image, weights[f"convolution.{layer}.weight"], weights[f"convolution.{layer}.bias"])
        image = functional.max_pool2d(functional.relu(image), 2)
    hidden = functional.relu(image.reshape(batch, 800) @ weights["hidden.weight"] + weights["hidden.bias"])
    logits = hidden @ weights["last.weight"] + weights["last.bias"]
    loss = functional.cross_entropy(logits, torch.tensor([0, 1, 1]))
    loss.backward()
    # Two numbers stand for each large gradient: its sum, and its product with a pattern.
    sums = {}
    for name, weight in weights.items():
        probe = pattern(30, weight.shape)
        sums[name] = [float(weight.grad.sum()), float((weight.grad * probe).sum())]
    return {"logits": flat(logits), "loss": loss.item(), "input": flat(q.grad), "gradients": sums}


def white(rows):
    """Rows without their correlations; what does that is constant."""
    fixed = rows.detach()
    covariance = torch.cov(fixed.T, correction=0)
    outputs = rows.shape[1]
    floor = 1e-2 * covariance.trace() / outputs * torch.eye(outputs)
    return torch.linalg.solve_triangular(torch.linalg.cholesky(covariance + floor), rows.T, upper=False).T


def matching(values, paired, whiten, n):
    """Two classes, `values` cells of n items each, rows ordered by class, value, item."""
    classes, outputs, scales = 2, 3, 4
    q = leaf(40, (classes * values * n, outputs), 1.3)
    mmd, pairing, medians = 0.0, 0.0, []
    for c in range(classes):
        rows = q[c * values * n : (c + 1) * values * n].reshape(values, n, outputs)
        every = rows.reshape(values * n, outputs)
        seen = white(every) if whiten else every
        squared = ((seen[:, None] - seen[None, :]) ** 2).sum(-1)
        median = squared[torch.triu_indices(values * n, values * n, 1).unbind()].detach().sort().values
        median = median[len(median) // 2]
        medians.append(float(median))
        kernel = sum(torch.exp(-squared * 3.0**s / median) for s in range(scales)) / scales
        kernel = kernel.reshape(values, n, values, n)
        off = 1.0 - torch.eye(n)
        within = lambda a: (kernel[a, :, a, :] * off).sum() / (n * (n - 1))
        across = lambda a, b: (
            (kernel[a, :, b, :] * off).sum() / (n * (n - 1)) if paired else kernel[a, :, b, :].mean()
        )
        spread = every.detach().var(dim=0, unbiased=False).sum()
        pairs = [(a, b) for a in range(values) for b in range(a + 1, values)]
        for a, b in pairs:
            mmd = mmd + (within(a) + within(b) - 2 * across(a, b)) / len(pairs) / classes
            distance = ((rows[a] - rows[b]) ** 2).sum(-1).mean()
            pairing = pairing + distance / (2 * spread) / len(pairs) / classes
    (mmd + 0.3 * pairing if paired else mmd).backward()
    return {
        "values": values,
        "paired": paired,
        "whiten": whiten,
        "items": n,
        "mmd": mmd.item(),
        "pairing": pairing.item(),
        "medians": medians,
        "gradient": flat(q.grad),
    }


def optimiser(name):
    weight = leaf(50, (6,))
    if name == "sgd":
        steps = torch.optim.SGD([weight], lr=0.1, momentum=0.5)
    else:
        steps = torch.optim.Adam([weight], lr=0.1)
    trace = []
    for step in range(4):
        steps.zero_grad()
        (weight**3 / 3 + pattern(60 + step, (6,)) * weight).sum().backward()
        steps.step()
        trace.append(flat(weight))
    return trace


def rounded(value):
    """Nine digits, more than the float32 of the tests can see."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


results = rounded(
    {
        "torch": torch.__version__,
        "networks": [network(kind, norm) for kind in ("squares", "bilinear") for norm in (False, True)],
        "convolutional": convolutional(),
        "matching": [
            matching(values, paired, whiten, n)
            for whiten, n in [(False, 5), (True, 9)]
            for values, paired in [(2, False), (2, True), (3, False), (3, True)]
        ],
        "optimisers": {"sgd": optimiser("sgd"), "adam": optimiser("adam")},
    }
)
json.dump(results, sys.stdout)
print()
