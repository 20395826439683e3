#!/usr/bin/env python3
"""Accuracy and cost against the number of inputs: characters, speech and a table, by pooling, cosines and components.

encoders.py FOLDER_OF_RECORDINGS WORKING_FOLDER [SEEDS]

The characters are drawn, the speech is the Free Spoken Digit Dataset (takes 0 .. 9 are the test), the table is made here:
40 measured columns of which 8 hidden causes explain most, and 3 columns of texts.
"""

import random
import sys
from pathlib import Path

from common import halflight, kept, once, row

speech, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
seeds = [int(seed) for seed in sys.argv[3].split(",")] if len(sys.argv) > 3 else [1, 2, 3]
folder.mkdir(parents=True, exist_ok=True)

once(folder, "characters-train", "dataset", "draw", "--count", 12000, "--seed", 1)
once(folder, "characters-test", "dataset", "draw", "--count", 4000, "--seed", 2)

once(folder, "words", "dataset", "import", "speech", speech, "--pattern", "{word}_{speaker}_{index}.wav", "--augment", 4)
if not (folder / "speech-test").exists():
    halflight(folder, "dataset", "split", "words", "--by", "index", "--hold", "0..10", "--rest", "speech-train", "--held", "both")
    halflight(folder, "dataset", "split", "both", "--by", "copy", "--hold", "0", "--held", "speech-test")


def make_table(path, rows=8000):
    draw = random.Random(5)
    mixing = [[draw.gauss(0, 1) for _ in range(8)] for _ in range(40)]
    with open(path, "w") as file:
        file.write(",".join(f"c{column}" for column in range(40)) + ",region,trade,size,risk\n")
        for _ in range(rows):
            causes = [draw.gauss(0, 1) for _ in range(8)]
            values = [sum(a * b for a, b in zip(mix, causes)) + draw.gauss(0, 1) for mix in mixing]
            risk = causes[0] * causes[1] + causes[2] + draw.gauss(0, 0.5)
            texts = [draw.choice("NESW"), draw.choice(["food", "wood", "steel"]), "large" if causes[3] > 0 else "small"]
            file.write(",".join(f"{value:.3f}" for value in values) + "," + ",".join(texts))
            file.write(f",{'high' if risk > 0.8 else 'low' if risk < -0.8 else 'middle'}\n")


if not (folder / "table-test").exists():
    make_table(folder / "table.csv")
    halflight(folder, "dataset", "import", "table", "table.csv", "--labels", "risk", "--out", "table", "--force")
    halflight(folder, "dataset", "split", "table", "--share", 0.25, "--balance", "risk", "--rest", "table-train", "--held", "table-test")

STEPS = ["--steps", 500, "--batch", 500]
SETS = {
    "characters": ("character", ["--outputs", 4, "--units", 32],
                   ["", "--pooling 2", "--pooling 2 --right 60", "--pooling 4", "--dct 8x8", "--pca 60", "--pca 30",
                    "--pca 30 --right 15", "--pca 15"]),
    "speech": ("word", ["--outputs", 6, "--units", 32],
               ["", "--pooling 2", "--dct 12x14", "--dct 10x12", "--dct 10x12 --right 60", "--dct 8x8", "--pca 60",
                "--pca 30", "--pca 30 --right 15"]),
    "table": ("risk", ["--outputs", 2, "--units", 16], ["", "--right 20", "--pca 20", "--pca 12", "--pca 8", "--pca 8 --right 4", "--pca 4"]),
}
row("data", "encoder", "n + m", "float %", "integer %", "ciphertext kB", "evaluate, M field mult.", "encrypt, evaluate ms")
row(*["---"] * 8)
for data, (label, network, encoders) in SETS.items():
    for encoder in encoders:
        name = f"{data}{encoder.replace(' ', '_').replace('--', '')}"
        results = []
        for seed in seeds:
            once(folder, f"{name}-{seed}", "train", "--data", f"{data}-train", "--validation", f"{data}-test", "--main", label,
                 "--defence", "none", *network, *STEPS, *encoder.split(), "--seed", seed)
            compiled = once(folder, f"{name}-{seed}-c", "compile", f"{name}-{seed}", "--data", f"{data}-train",
                            "--validation", f"{data}-test", "--steps", 200, "--seed", seed)
            results.append(compiled)
        check = kept(folder, f"{name}-check", "check", f"{name}-{seeds[0]}-c", "--data", f"{data}-test", "--items", "0..10")
        assert check["mismatches"] == 0
        mean = lambda field: sum(result[field] for result in results) / len(results)
        ends = [result["main_accuracy_integer"] for result in results]
        row(data, encoder.replace("--", "") or "all", f"{check['inputs'][0]} + {check['inputs'][1]}",
            f"{mean('main_accuracy_float'):.1f}", f"{mean('main_accuracy_integer'):.1f} ({min(ends):.1f} to {max(ends):.1f})",
            f"{check['ciphertext_bytes'] / 1000:.1f}", f"{check['evaluate_field_muls'] / 1e6:.2f}",
            f"{check['encrypt_ms']:.0f}, {check['evaluate_ms']:.0f}")
