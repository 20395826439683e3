#!/usr/bin/env python3
"""Vowels (Peterson and Barney, 1952) without telling sex or kind of speaker: men, women, children.

vowels.py FILE_OR_FOLDER WORKING_FOLDER [SEEDS] [OUTPUTS]

The file is the table of 1,520 tokens with the columns Type, Sex, Speaker, Vowel, F0 to F3. Speakers are divided at random,
within each kind: half train the networks, a quarter teaches the attackers, a quarter is the test. The certificate rests on
the two quarters at 90 % confidence: so few tokens allow no more.
"""

import csv
import random
import sys
from pathlib import Path

from common import halflight, kept, once
from people import head, judged, made, summary, told
from picture import picture

source, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
table = source / "peterson-barney.csv" if source.is_dir() else source
seeds = [int(seed) for seed in sys.argv[3].split(",")] if len(sys.argv) > 3 else [1, 2, 3]
outputs = [int(count) for count in sys.argv[4].split(",")] if len(sys.argv) > 4 else [3, 1, 2, 4]
folder.mkdir(parents=True, exist_ok=True)

once(folder, "vowels", "dataset", "import", "table", table, "--labels", "Vowel,Sex,Type,Speaker", "--features", "F0,F1,F2,F3")
kinds = {}
with open(table, newline="") as file:
    for token in csv.DictReader(file):
        kinds[token["Speaker"]] = token["Type"] + token["Sex"]


def parts(seed):
    """Train, attack, test, and the last two together, by speaker."""
    names = [f"{part}-{seed}" for part in ("train", "attack", "test", "fresh")]
    if (folder / names[1]).exists():
        return names
    draw, held = random.Random(seed), ([], [])
    for kind in sorted(set(kinds.values())):
        speakers = sorted(speaker for speaker, own in kinds.items() if own == kind)
        draw.shuffle(speakers)
        half = len(speakers) // 2
        for place, speaker in enumerate(speakers[:half]):
            held[place % 2].append(speaker)
    train, attack, test, fresh = names
    halflight(folder, "dataset", "split", "vowels", "--by", "Speaker", "--hold", ",".join(held[0] + held[1]), "--rest", train,
              "--held", fresh)
    halflight(folder, "dataset", "split", fresh, "--by", "Speaker", "--hold", ",".join(held[1]), "--rest", attack, "--held", test)
    return names


def recipes(count):
    size = ["--outputs", count, "--units", 16, "--input-bits", 6]
    bits = ["--bits", 6, "--combine-bits", 6, "--steps", 800]
    noise = 0.1
    return {
        "undefended": {"defence": "none", "noise": 0, "train": [*size, "--steps", 1500, "--batch", 400], "compile": bits},
        "matched": {"defence": "match", "noise": noise, "train": [*size, "--steps", 1500, "--batch", 400, "--weight", 5,
                    "--noise", noise], "compile": [*bits, "--weight", 5, "--noise", noise]},
        "certified": {"defence": "certify", "noise": noise, "train": [*size, "--steps", 1500, "--batch", 400, "--weight", 5,
                      "--noise", noise], "compile": [*bits, "--weight", 5, "--noise", noise]},
    }


head()
shown = []
for seed in seeds:
    train, attack, test, fresh = parts(seed)
    # More sizes are measured with the first seed alone.
    for count in outputs if seed == seeds[0] else outputs[:1]:
        for label, recipe in recipes(count).items():
            recipe["fresh"] = fresh
            name = f"{label}-{count}-{seed}"
            compiled = made(folder, name, train, test, "Vowel", ["Sex", "Type"], recipe, seed)
            found, check = judged(folder, name, attack, test, "Vowel", ["Sex", "Type"], recipe, audit=["--families",
                                  "logistic,qda,knn-7,knn-15,forest-5"], certify=["--confidence", 90, "--votes", 1, "--repeated"])
            told(label, count, seed, compiled, found, check)
            if seed == seeds[0]:
                shown.append(summary((f"{label}, S = {count}", compiled, found["Sex"])))
picture(folder / "vowels.svg", "Sex from what is published of a vowel, at equal vowel", shown)
