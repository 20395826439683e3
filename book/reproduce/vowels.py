#!/usr/bin/env python3
"""Vowels (Peterson and Barney, 1952) without telling sex or kind of speaker: men, women, children.

vowels.py FILE_OR_FOLDER WORKING_FOLDER choose [SEEDS]
vowels.py FILE_OR_FOLDER WORKING_FOLDER test [SEEDS]

The file is the table of 1,520 tokens with the columns Type, Sex, Speaker, Vowel, F0 to F3. Speakers are divided once, within
each kind: half train the networks, a quarter teaches the attackers, a quarter is the test. `choose` compares recipes on the
training half alone: half of its speakers train, half compare. `test` takes the recipe CHOSEN below. The
certificate rests on the two quarters at 90 % confidence: so few tokens allow no more.
"""

import csv
import random
import sys
from pathlib import Path

from common import halflight, once
from people import choose, study
from picture import picture

source, folder, mode = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
table = source / "peterson-barney.csv" if source.is_dir() else source
seeds = [int(seed) for seed in sys.argv[4].split(",")] if len(sys.argv) > 4 else [1, 2, 3]
folder.mkdir(parents=True, exist_ok=True)
CERTIFY = ["--confidence", 90, "--repeated"]
ATTRIBUTES = ["Sex", "Type"]


def divided():
    """Writes the data sets of all roles, by speaker."""
    once(folder, "vowels", "dataset", "import", "table", table, "--labels", "Vowel,Sex,Type,Speaker", "--features", "F0,F1,F2,F3")
    kinds = {}
    with open(table, newline="") as file:
        for token in csv.DictReader(file):
            kinds.setdefault(token["Type"] + token["Sex"], set()).add(token["Speaker"])
    draw, roles = random.Random(1952), {"test": [], "attack": [], "compare": [], "learn": []}
    for kind in sorted(kinds):
        speakers = sorted(kinds[kind])
        draw.shuffle(speakers)
        for place, role in enumerate(roles):
            roles[role] += speakers[place::4]
    split("vowels", roles["test"] + roles["attack"], "train", "fresh")
    split("fresh", roles["test"], "attack", "test")
    split("train", roles["compare"], "learn", "compare")


def split(data, speakers, rest, held):
    if not (folder / held).exists():
        halflight(folder, "dataset", "split", data, "--by", "Speaker", "--hold", ",".join(speakers), "--rest", rest, "--held", held)


SIZE = ["--units", 16, "--input-bits", 6, "--steps", 1000, "--batch", 400]
BITS = ["--bits", 6, "--combine-bits", 5, "--steps", 400, "--batch", 400]


def noisy(count, noise, weight, defence="certify"):
    """A network that is defended and noisy."""
    both = ["--weight", weight, "--noise", noise]
    return {"defence": defence, "noise": noise, "compile": [*BITS, *both],
            "train": ["--outputs", count, *SIZE, *both]}


CANDIDATES = {f"S={count} noise={noise} weight={weight}": noisy(count, noise, weight)
              for count, noise, weight in ((2, 0.1, 5), (3, 0.1, 5))}
# Percent of the vowels that a recipe must keep with each seed.
LEAST = 75
# Outputs, and noise and weight, that `choose` printed.
COUNT, CHOSEN = 3, (0.1, 5)


def recipes(count):
    """Three networks with the chosen number of outputs, one with another."""
    plain = {"defence": "none", "noise": 0, "compile": BITS, "train": ["--outputs", count, *SIZE]}
    others = {"undefended": plain, "matched": noisy(count, *CHOSEN, "match")}
    return {**(others if count == COUNT else {}), "certified": noisy(count, *CHOSEN)}


divided()
if mode == "choose":
    roles = {"train": "learn", "report": "compare"}
    # The tokens that compare are too few for a confidence that means something; it is the same for every candidate.
    best = choose(folder, CANDIDATES, seeds, roles, "Vowel", ATTRIBUTES, LEAST, ["--confidence", 50, "--repeated"])
    print("\nchosen:", best)
else:
    roles = {role: role for role in ("train", "attack", "test", "fresh")}
    # Other numbers of outputs are measured with the first seed alone.
    plan = [(seed, COUNT) for seed in seeds] + [(seeds[0], count) for count in (1, 2, 4)]
    shown = study(folder, plan, roles, "Vowel", ATTRIBUTES, recipes, ["--families", "logistic,qda,knn-7,knn-15,forest-5"], CERTIFY)
    picture(folder / "vowels.svg", "Sex from what is published of a vowel, at equal vowel", shown)
