#!/usr/bin/env python3
"""What the outputs of defended networks give away: drawn digits, two fonts, S = 4, integers.

privacy.py WORKING_FOLDER [SEEDS] [ROWS] [ATTACK_SIZES] [PANEL]

Test and attack images are drawn apart from all training images. What is there already is not made again.
"""

import sys
from pathlib import Path

from common import kept, once, row, spread

folder = Path(sys.argv[1]).resolve()
seeds = [int(seed) for seed in sys.argv[2].split(",")] if len(sys.argv) > 2 else [1, 2, 3]
wanted = sys.argv[3].split(",") if len(sys.argv) > 3 else []
sizes = [int(size) for size in sys.argv[4].split(",")] if len(sys.argv) > 4 else [120_000]
panel = sys.argv[5] if len(sys.argv) > 5 else "full"
folder.mkdir(parents=True, exist_ok=True)


def match(inputs):
    return ["--defence", "match", "--preset", "thorough", "--input-bits", inputs]


def bits(weights, combine):
    return ["--bits", weights, "--combine-bits", combine, "--preset", "thorough"]


# name: (training data, options of the training, options of the compilation, the row whose training it shares)
ROWS = {
    "none": ("single", ["--defence", "none"], ["--input-bits", 4], "none"),
    "paper": ("single", ["--defence", "paper", "--preset", "paper"], ["--input-bits", 4], "paper"),
    "pairs-4.5.4": ("pairs", match(4), bits(4, 5), "pairs4"),
    "pairs-3.4.3": ("pairs", match(3), bits(3, 4), "pairs3"),
    "pairs-noise": ("pairs", match(4), [*bits(4, 5), "--noise", 0.05], "pairs4"),
    "unpaired-4.5.4": ("many", match(4), bits(4, 5), "unpaired4"),
}
DRAWN = {
    "single": ["--count", 60_000, "--seed", 10],
    "many": ["--count", 480_000, "--seed", 11],
    "pairs": ["--count", 480_000, "--pairs", "--seed", 100],
    "test": ["--count", 60_000, "--seed", 3],
    "attack": ["--count", max(300_000, *sizes), "--seed", 2],
}

for name in ("test", "attack"):
    once(folder, name, "dataset", "draw", *DRAWN[name])
row("network", "trainings", "attack images", "main %, float", "main %, integer", "pooled %", "worst digit %", "vote@20 %",
    "vote@140 %", "strongest", "bits on the data")
row(*["---"] * 11)
for name, (data, training, compiling, start) in ROWS.items():
    if wanted and name not in wanted:
        continue
    once(folder, data, "dataset", "draw", *DRAWN[data])
    compiled = []
    for seed in seeds:
        network, integers = f"{start}-{seed}.network", f"{name}-{seed}.integers"
        once(folder, network, "train", "--data", data, "--validation", "test", "--collateral", "font", "--seed", seed, *training)
        compiled.append(once(folder, integers, "compile", network, "--data", data, "--validation", "test", "--seed", seed, *compiling))
    for size in sizes:
        reports = [
            kept(folder, f"{name}-{seed}-{size}-{panel}.audit", "audit", f"{name}-{seed}.integers", "--train", "attack",
                 "--test", "test", "--attack-size", size, "--panel", panel)
            for seed in seeds
        ]
        vote = {k: [next(vote["accuracy"] for vote in report["vote"] if vote["k"] == k) for report in reports] for k in (20, 140)}
        ranges = [max(r["empirical"][1] - r["empirical"][0] for r in c["report"]["outputs"]) for c in compiled]
        row(name, len(seeds), f"{size:,}", spread([c["main_accuracy_float"] for c in compiled]),
            spread([c["main_accuracy_integer"] for c in compiled]),
            spread([report["highest_pooled"]["accuracy"] for report in reports]),
            spread([report["highest_class"]["accuracy"] for report in reports]), spread(vote[20]), spread(vote[140]),
            ", ".join(sorted({report["highest_pooled"]["family"] for report in reports})), max(ranges).bit_length())
