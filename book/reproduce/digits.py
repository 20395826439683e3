#!/usr/bin/env python3
"""What the networks that come with the project reveal about the font of a drawn digit.

digits.py WORKING_FOLDER [NETWORKS] [IMAGES]

NETWORKS is the folder `networks/` of the project (default: the one beside this script). Main accuracy is measured on drawn
images of a seed of their own; what attackers found stands in each network's audit; the certificate of the one with noise
rests on IMAGES drawn for it (100,000).
"""

import json
import sys
from pathlib import Path

from common import kept, once, row
from picture import picture

folder = Path(sys.argv[1]).resolve()
networks = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else Path(__file__).resolve().parents[2] / "networks"
images = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000
folder.mkdir(parents=True, exist_ok=True)

once(folder, "test", "dataset", "draw", "--count", 10000, "--seed", 77)
NAMES = {"digits-none": "undefended", "digits-paper": "the paper's defence", "digits-match": "matched",
         "digits-match-noise": "matched, with noise"}
row("network", "main %, 10,000 images", "found: pooled %", "95 %", "attack images", "no attacker (99.9 %)",
    "under encryption: items, mismatches, ms")
row(*["---"] * 7)
shown = []
for name, label in NAMES.items():
    network = networks / f"{name}.safetensors"
    found = json.loads((networks / f"{name}.json").read_text())
    check = kept(folder, f"{name}.check", "check", network, "--data", "test", "--items", "0..20")
    bound = None
    if name.endswith("noise"):
        bound = kept(folder, f"{name}.bound", "certify", network, "--draw", images, "--collateral", "font", "--points", 2000)
    strongest = found["strongest_pooled"]
    row(label, f"{check['accuracy_clear']:.2f}", f"{strongest['accuracy']:.1f}, {strongest['family']}",
        f"{strongest['low']:.1f} to {strongest['high']:.1f}", found["items"]["train"],
        f"{bound['pooled']['bound']:.1f}" if bound else "none without noise",
        f"{check['items']}, {check['mismatches']}, {check['encrypt_ms']:.0f} + {check['evaluate_ms']:.0f}")
    shown.append((label, check["accuracy_clear"], strongest["accuracy"], strongest["low"], strongest["high"],
                  bound["pooled"]["bound"] if bound else None, strongest["chance"]))
picture(folder / "digits.svg", "Font from what is published of a digit, at equal digit", shown)
