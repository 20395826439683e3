#!/usr/bin/env python3
"""A gradient-boosted attacker with a million images of each font, beside what a certificate proves.

boosting.py FOLDER NETWORK CERTIFICATE [IMAGES]

Draws IMAGES (2,000,000) digits in two fonts for the attacker and 200,000 others to score it on, computes the network's
outputs with the owners' noise, trains one LightGBM model for every digit and sets its accuracy beside the bounds in
CERTIFICATE, from `halflight certify NETWORK … --json`. Ends with 1 where an attacker reads more than is proved. Needs
halflight, lightgbm, numpy and safetensors.
"""

import json
import sys
from pathlib import Path

import lightgbm
import numpy as np
from safetensors.numpy import load_file

from common import halflight, once, row, wilson

OPTIONS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "verbosity": -1,
    "seed": 0,
}
ROUNDS, PATIENCE, HELD_OUT = 600, 30, 10
VOTES = 20, 140
SCORED = 200_000


def observe(folder, network, images):
    """Outputs and labels of fresh images: what the attacker learns from, and what it is scored on."""
    once(folder, "attack.safetensors", "dataset", "draw", "--count", images, "--seed", 71)
    once(folder, "scored.safetensors", "dataset", "draw", "--count", SCORED, "--seed", 72)
    outputs = Path(folder) / "outputs.safetensors"
    if not outputs.exists():
        data = ["--train", "attack.safetensors", "--test", "scored.safetensors"]
        halflight(folder, "audit", network, *data, "--outputs", "outputs.safetensors", "--outputs-only")
    return load_file(outputs)


def attack(outputs, values, scored):
    """The log-odds that one model, stopped on held-out items, gives to scored items."""
    held_out = np.arange(len(values)) % HELD_OUT == 0
    learned = lightgbm.Dataset(outputs[~held_out], values[~held_out])
    stop = lightgbm.Dataset(outputs[held_out], values[held_out], reference=learned)
    model = lightgbm.train(
        OPTIONS, learned, ROUNDS, valid_sets=[stop], callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)]
    )
    return model.predict(scored, raw_score=True)


def votes(odds, values, items, rng):
    """Accuracy on subjects of one font, each with so many items."""
    right = []
    for value in (0, 1):
        own = rng.permutation(odds[values == value])
        own = own[: len(own) // items * items].reshape(-1, items).sum(1)
        right.extend((own > 0) == value)
    return right


def main():
    folder, network, certificate = sys.argv[1], Path(sys.argv[2]).resolve(), json.loads(Path(sys.argv[3]).read_text())
    images = int(sys.argv[4]) if len(sys.argv) > 4 else 2_000_000
    Path(folder).mkdir(parents=True, exist_ok=True)
    proved = certificate.get("certificate", certificate)
    by_class = {str(bound["class"]): bound["bound"] for bound in proved["classes"]}
    by_votes = {vote["k"]: vote["bound"] for vote in proved["votes"]}
    data = observe(folder, network, images)
    odds = np.zeros(len(data["test_main"]))
    row("what", "found %", "95 %", "proved %")
    row(*["---"] * 4)
    exceeded = False

    def compare(what, right, bound):
        nonlocal exceeded
        low, high = wilson(sum(right), len(right))
        exceeded |= bound is not None and low > bound
        row(what, f"{100 * sum(right) / len(right):.2f}", f"{low:.2f} to {high:.2f}", "" if bound is None else bound)

    scored_values = data["test_collateral"]
    for digit in np.unique(data["test_main"]):
        learned, scored = data["train_main"] == digit, data["test_main"] == digit
        learned = data["train_outputs"][learned], data["train_collateral"][learned]
        odds[scored] = attack(learned[0].astype(float), learned[1], data["test_outputs"][scored].astype(float))
        compare(f"digit {digit}", (odds[scored] > 0) == scored_values[scored], by_class.get(str(digit)))
    compare("all digits", (odds > 0) == scored_values, proved["pooled"]["bound"])
    rng = np.random.default_rng(0)
    for items in VOTES:
        compare(f"{items} items", votes(odds, scored_values, items, rng), by_votes.get(items))
    # NumPy's own truth value would be printed, and end with 1 always.
    sys.exit(int(exceeded))


if __name__ == "__main__":
    main()
