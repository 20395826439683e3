#!/usr/bin/env python3
"""What the outputs of defended networks reveal: drawn characters, integers.

privacy.py WORKING_FOLDER [SEEDS] [ROWS] [ATTACK_SIZES] [PANEL]

SEEDS and ATTACK_SIZES are lists such as 1,2,3; ROWS are names of ROWS below, and `all` is every one of them. Test and
attack images are drawn apart from all training images. What is there already is not made again.

Rows of five fonts need three more: HALFLIGHT_FONTS=one.ttf:two.ttf:three.ttf.
"""

import os
import sys
from pathlib import Path

from common import kept, once, row, spread

folder = Path(sys.argv[1]).resolve()
seeds = [int(seed) for seed in sys.argv[2].split(",")] if len(sys.argv) > 2 else [1, 2, 3]
wanted = sys.argv[3].split(",") if len(sys.argv) > 3 else ["none", "pairs-4.5.4", "pairs-noise", "pairs-3.4.3", "unpaired-4.5.4"]
sizes = [int(size) for size in sys.argv[4].split(",")] if len(sys.argv) > 4 else [120_000]
panel = sys.argv[5] if len(sys.argv) > 5 else "full"
folder.mkdir(parents=True, exist_ok=True)


def match(inputs, *more):
    return ["--defence", "match", "--preset", "thorough", "--input-bits", inputs, *more]


def bits(weights, combine, *more):
    return ["--bits", weights, "--combine-bits", combine, "--preset", "thorough", *more]


# name: (characters and fonts, training data, options of the training, of the compilation, the row whose training it shares)
ROWS = {
    "none": ("digits", "single", ["--defence", "none"], ["--input-bits", 4], "none"),
    "paper": ("digits", "single", ["--defence", "paper", "--preset", "paper", "--input-bits", 4],
              # Only rounded: fine-tuning knows no adversary, and would undo half of this defence.
              ["--bits", 6, "--combine-bits", 7, "--steps", 0], "paper"),
    "pairs-4.5.4": ("digits", "pairs", match(4), bits(4, 5), "pairs4"),
    "pairs-noise": ("digits", "pairs", match(4, "--noise", 0.1), bits(4, 5), "noise4"),
    "pairs-3.4.3": ("digits", "pairs", match(3), bits(3, 4), "pairs3"),
    "pairs-3.4.3-noise": ("digits", "pairs", match(3, "--noise", 0.1), bits(3, 4), "noise3"),
    "unpaired-4.5.4": ("digits", "many", match(4), bits(4, 5), "unpaired4"),
    # Four times the units hide more and keep more of the digits; they cost evaluations, not ciphertexts.
    "wide-noise": ("digits", "pairs", match(4, "--units", 256, "--noise", 0.14), bits(4, 5, "--settle", 0.3), "wide4"),
    # The same trainings, compiled against attackers on random features too: that hides more than so much noise.
    "wide-discriminant": ("digits", "pairs", match(4, "--units", 256, "--noise", 0.14),
                          bits(4, 5, "--settle", 0.3, "--discriminant", 1, "--weight", 60, "--noise", 0.12), "wide4"),
    "letters": ("letters", "pairs", match(4), bits(4, 5), "letters"),
    "fonts": ("fonts", "pairs", match(4), bits(4, 5), "fonts"),
}
for outputs in range(2, 11):
    ROWS[f"S={outputs}"] = ("digits", "pairs", match(4, "--outputs", outputs, "--noise", 0.1), bits(4, 5),
                           f"outputs{outputs}")
CHARACTERS = {
    "digits": [],
    "letters": ["--characters", "abcdefghijklmnopqrstuvwxyz"],
    "fonts": [word for font in ["cursive", "serif", *os.environ.get("HALFLIGHT_FONTS", "").split(":")] for word in ("--font", font)],
}
DRAWN = {
    "single": ["--count", 60_000, "--seed", 10],
    "many": ["--count", 480_000, "--seed", 11],
    "pairs": ["--count", 480_000, "--pairs", "--seed", 100],
    "test": ["--count", 60_000, "--seed", 3],
    "attack": ["--count", max(300_000, *sizes), "--seed", 2],
}


def drawn(characters, data):
    name = data if characters == "digits" else f"{characters}-{data}"
    options = list(DRAWN[data])
    if (characters, data) == ("fonts", "pairs"):
        # As many images of five fonts as of two.
        options[1] = 192_000
    once(folder, name, "dataset", "draw", *CHARACTERS[characters], *options)
    return name


row("network", "trainings", "attack images", "main %, float", "main %, integer", "pooled %", "worst class %", "vote@20 %",
    "vote@140 %", "strongest", "bits on the data")
row(*["---"] * 11)
for name in ROWS if wanted == ["all"] else wanted:
    characters, data, training, compiling, start = ROWS[name]
    data, test, attack = (drawn(characters, kind) for kind in (data, "test", "attack"))
    compiled = []
    for seed in seeds:
        network, integers = f"{start}-{seed}.network", f"{name}-{seed}.integers"
        once(folder, network, "train", "--data", data, "--validation", test, "--collateral", "font", "--seed", seed, *training)
        compiled.append(once(folder, integers, "compile", network, "--data", data, "--validation", test, "--seed", seed, *compiling))
    for size in sizes:
        reports = [
            kept(folder, f"{name}-{seed}-{size}-{panel}.audit", "audit", f"{name}-{seed}.integers", "--train", attack,
                 "--test", test, "--attack-size", size, "--panel", panel, "--seeds", 0)
            for seed in seeds
        ]
        vote = {k: [next(vote["accuracy"] for vote in report["vote"] if vote["k"] == k) for report in reports] for k in (20, 140)}
        ranges = [max(r["empirical"][1] - r["empirical"][0] for r in c["report"]["outputs"]) for c in compiled]
        row(name, len(seeds), f"{size:,}", spread([c["main_accuracy_float"] for c in compiled]),
            spread([c["main_accuracy_integer"] for c in compiled]),
            spread([report["highest_pooled"]["accuracy"] for report in reports]),
            spread([report["highest_class"]["accuracy"] for report in reports]), spread(vote[20]), spread(vote[140]),
            ", ".join(sorted({report["highest_pooled"]["family"] for report in reports})), max(ranges).bit_length())
