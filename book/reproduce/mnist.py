#!/usr/bin/env python3
"""MNIST: our network, and one of the paper's architecture (785 inputs, 40 squares, 10 outputs), trained alike.

mnist.py FOLDER_OF_IDX WORKING_FOLDER [SEEDS]

With MNIST's four files in the folder, plain or gzipped, networks learn from the 60,000 training images and are tested on the
10,000 test images. With the two files of the test images alone, they learn from 8,000 of them and are tested on the other
2,000. 200 are tested under encryption. If `final.mlm`, the paper's own integers, is in the folder too, it is imported and
tested on all 10,000.
"""

import sys
from pathlib import Path

from common import halflight, kept, once, row, spread
from picture import picture

source, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
seeds = [int(seed) for seed in sys.argv[3].split(",")] if len(sys.argv) > 3 else [1, 2, 3]
folder.mkdir(parents=True, exist_ok=True)


def idx(name):
    """The file of this name, plain or gzipped, or None."""
    return next((path for path in (source / name, source / f"{name}.gz") if path.exists()), None)


def imported(part, name):
    """Reads images and labels, if both are there; answers how many."""
    pair = [idx(f"{part}-images-idx3-ubyte"), idx(f"{part}-labels-idx1-ubyte")]
    if None in pair:
        return 0
    return once(folder, name, "dataset", "import", "idx", *pair)["items"]


def parts(seed):
    """What trains, what tests, and how many changed copies of the first are added."""
    if whole:
        return "train", "mnist", 2
    train, test = f"train-{seed}", f"test-{seed}"
    if not (folder / test).exists():
        halflight(folder, "dataset", "split", "mnist", "--share", 0.2, "--balance", "digit", "--seed", seed,
                  "--rest", train, "--held", test)
    return train, test, 9


tested = imported("t10k", "mnist")
if not tested:
    raise SystemExit(f"{source}: has no t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or gzipped; these are MNIST's "
                     "test images, and nothing runs without them")
whole = imported("train", "train")
if whole:
    print(f"{whole:,} training images to learn from, {tested:,} test images.")
else:
    tested = 2000
    print(f"{source}: has no train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or gzipped. So networks learn from 8,000 "
          "of the 10,000 test images and are tested on the other 2,000: not the figures of MNIST's own division.")
NETWORKS = {
    "ours": (["--units", 64, "--pooling", 2], []),
    "the paper's architecture": (["--kind", "squares", "--units", 40], ["--bits", 5, "--combine-bits", 6]),
}
row("network", "seed", "float %", "integer %", "under encryption %", "items", "mismatches", "n + m", "d", "S", "encrypt ms",
    "evaluate ms")
row(*["---"] * 12)


def told(name, seed, floats, integers, check):
    row(name, seed, floats, f"{integers:.2f}", f"{check['accuracy']:.1f} ({check['low']:.1f} to {check['high']:.1f})",
        check["items"], check["mismatches"], f"{check['inputs'][0]} + {check['inputs'][1]}", check["units"], check["outputs"],
        f"{check['encrypt_ms']:.0f}", f"{check['evaluate_ms']:.0f}")


found, shown = {name: [] for name in NETWORKS}, []
for seed in seeds:
    train, test, copies = parts(seed)
    more = f"more-{seed}"
    once(folder, more, "dataset", "augment", train, "--copies", copies, "--seed", seed)
    for name, (training, compiling) in NETWORKS.items():
        files = f"{'ours' if name == 'ours' else 'paper'}-{seed}"
        once(folder, f"{files}.float", "train", "--data", more, "--validation", test, "--main", "digit", "--defence", "none",
             "--outputs", 10, *training, "--steps", 1500, "--batch", 500, "--seed", seed)
        compiled = once(folder, f"{files}.compiled", "compile", f"{files}.float", "--data", more, "--validation", test,
                        *compiling, "--steps", 300, "--seed", seed)
        check = kept(folder, f"{files}.check", "check", f"{files}.compiled", "--data", test, "--items", "0..200")
        found[name].append(compiled["main_accuracy_integer"])
        told(name, seed, f"{compiled['main_accuracy_float']:.2f}", compiled["main_accuracy_integer"], check)
        shown.append((f"{name if name == 'ours' else 'paper’s kind'}, seed {seed}", compiled["main_accuracy_integer"],
                      check["accuracy"], check["low"], check["high"], None, 90))
if (source / "final.mlm").exists():
    once(folder, "final", "import", source / "final.mlm", "--data", "mnist")
    check = kept(folder, "final.check", "check", "final", "--data", "mnist", "--items", "0..200")
    told("final.mlm", "–", "–", check["accuracy_clear"], check)
else:
    print(f"\n{source}: has no final.mlm, the paper's own integers; with it there is one more row.")
count = f"{tested:,}"
picture(folder / "handwriting.svg", "Handwritten digits read under encryption", shown,
        f"dot: right among 200 encrypted images, with 95 % interval; main: all {count} by the same integers", 2)
for name, integers in found.items():
    print(f"\n{name}: integer accuracy on {count} items, {len(seeds)} seeds: {spread(integers)}")
