#!/usr/bin/env python3
"""MNIST: trained on 8,000 of the 10,000 test images, tested on the other 2,000, 200 of them under encryption.

mnist.py FOLDER_OF_IDX WORKING_FOLDER [SEEDS]
"""

import sys
from pathlib import Path

from common import halflight, kept, once, row, spread
from picture import picture

source, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
seeds = [int(seed) for seed in sys.argv[3].split(",")] if len(sys.argv) > 3 else [1, 2, 3]
folder.mkdir(parents=True, exist_ok=True)

images, labels = source / "t10k-images-idx3-ubyte.gz", source / "t10k-labels-idx1-ubyte.gz"
once(folder, "mnist", "dataset", "import", "idx", images, labels)
row("seed", "float %", "integer %", "under encryption %", "items", "mismatches", "n + m", "d", "S", "encrypt ms", "evaluate ms")
row(*["---"] * 11)
integers, shown = [], []
for seed in seeds:
    train, test, more = (f"{name}-{seed}" for name in ("train", "test", "more"))
    if not (folder / test).exists():
        halflight(folder, "dataset", "split", "mnist", "--share", 0.2, "--balance", "digit", "--seed", seed,
                  "--rest", train, "--held", test)
    once(folder, more, "dataset", "augment", train, "--copies", 9, "--seed", seed)
    once(folder, f"network-{seed}", "train", "--data", more, "--validation", test, "--main", "digit", "--defence", "none",
         "--outputs", 10, "--units", 64, "--pooling", 2, "--steps", 1500, "--batch", 500, "--seed", seed)
    compiled = once(folder, f"compiled-{seed}", "compile", f"network-{seed}", "--data", more, "--validation", test,
                    "--steps", 300, "--seed", seed)
    check = kept(folder, f"check-{seed}", "check", f"compiled-{seed}", "--data", test, "--items", "0..200")
    integers.append(compiled["main_accuracy_integer"])
    row(seed, f"{compiled['main_accuracy_float']:.2f}", f"{compiled['main_accuracy_integer']:.2f}",
        f"{check['accuracy']:.1f} ({check['low']:.1f} to {check['high']:.1f})", check["items"], check["mismatches"],
        f"{check['inputs'][0]} + {check['inputs'][1]}", check["units"], check["outputs"],
        f"{check['encrypt_ms']:.0f}", f"{check['evaluate_ms']:.0f}")
    shown.append((f"seed {seed}", compiled["main_accuracy_integer"], check["accuracy"], check["low"], check["high"], None, 90))
picture(folder / "handwriting.svg", "Handwritten digits read under encryption", shown,
        "dot: right among 200 encrypted images, with 95 % interval; main: all 2,000 by the same integers", 2)
print(f"\ninteger accuracy on 2,000 items, {len(seeds)} seeds: {spread(integers)}")
