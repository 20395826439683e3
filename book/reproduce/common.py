"""What the scripts share: running halflight, means and intervals. Python 3.9 or newer, nothing else."""

import json
import math
import os
import subprocess
from pathlib import Path

HALFLIGHT = os.environ.get("HALFLIGHT", "halflight")


def halflight(folder, *arguments):
    """Runs the command in a folder and returns its JSON."""
    command = [HALFLIGHT, *(str(argument) for argument in arguments), "--json", "--quiet"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)


def once(folder, name, *arguments):
    """As halflight, writing `--out name`; nothing if that file is there."""
    note = Path(folder) / f"{name}.json"
    if not note.exists():
        note.write_text(json.dumps(halflight(folder, *arguments, "--out", name, "--force")))
    return json.loads(note.read_text())


def kept(folder, name, *arguments):
    """As halflight, for verbs without a file: what it said is kept under `name`."""
    note = Path(folder) / f"{name}.json"
    if not note.exists():
        note.write_text(json.dumps(halflight(folder, *arguments)))
    return json.loads(note.read_text())


def wilson(right, count, z=1.96):
    """95 % interval of a share, in percent."""
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return 100 * (middle - half), 100 * (middle + half)


def pooled(shares, counts):
    """Accuracies in percent on disjoint test items: their mean over all items, with its interval."""
    right = sum(share * count / 100 for share, count in zip(shares, counts))
    low, high = wilson(right, sum(counts))
    return f"{100 * right / sum(counts):.1f} ({low:.1f} to {high:.1f})"


def spread(values):
    """Mean, and least to greatest over the seeds."""
    mean = sum(values) / len(values)
    return f"{mean:.2f} ({min(values):.2f} to {max(values):.2f})"


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
