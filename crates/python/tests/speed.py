"""How many encrypted items a second Python evaluates, beside the command on the same cores.

    HALFLIGHT=target/debug/halflight python crates/python/tests/speed.py [rounds]

Two hundred items of the embedded handwriting, 65 inputs each. Rounds alternate, so that both meet the same machine. The
command's time is that of 200 items less that of one, so that its start and its table of logarithms do not count; Python
reads the same files, whose points both check. Medians, and the median of the ratios of each round.
"""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import halflight as hl

ITEMS = 200


def seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def main(rounds: int) -> None:
    command = os.environ.get("HALFLIGHT", "halflight")
    data = hl.handwriting()
    network = hl.train(data, main="digit", units=32, outputs=4, steps=80, batch=200, progress=False)
    compiled = hl.compile(network, data, steps=20, batch=200, drop_dead=False, progress=False)
    authority = hl.setup(compiled)
    key = authority.issue(compiled)
    ciphertexts = hl.encrypt(authority.parameters, data, items=slice(ITEMS), progress=False)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        compiled.save(folder / "compiled.safetensors")
        key.save(folder / "functional.key")
        files = [str(folder / f"{item:03}.ct") for item in range(ITEMS)]
        for ciphertext, file in zip(ciphertexts, files):
            ciphertext.save(file)
        (folder / "tables").mkdir()
        asked = [command, "predict", "--key", str(folder / "functional.key"), "--network", str(folder / "compiled.safetensors"),
                 "--tables", str(folder / "tables"), "--json", "--quiet"]
        predictor = hl.Predictor(key, compiled)

        def by_command(some: list[str]) -> None:
            subprocess.run([*asked, *some], check=True, stdout=subprocess.DEVNULL)

        def by_python() -> None:
            read = hl.Ciphertext.from_bytes_batch(pathlib.Path(file).read_bytes() for file in files)
            found = predictor.evaluate(read, progress=False)
            assert np.array_equal(found, compiled.evaluate(data[:ITEMS]))

        by_command(files[:1])
        found: list[tuple[float, float, float]] = []
        for _ in range(rounds):
            one, all_items = seconds(lambda: by_command(files[:1])), seconds(lambda: by_command(files))
            python = seconds(by_python)
            evaluated = seconds(lambda: predictor.evaluate(ciphertexts, progress=False))
            found.append(((ITEMS - 1) / (all_items - one), ITEMS / python, ITEMS / evaluated))
    of_command, of_python, alone = (statistics.median(rates) for rates in zip(*found))
    ratio = statistics.median(python / command for command, python, _ in found)
    print(f"{compiled.inputs[0]} + {compiled.inputs[1]} inputs, {compiled.units} units, {compiled.width} outputs, {rounds} rounds, {os.cpu_count()} cores")
    print(f"the command {of_command:.1f}, Python {of_python:.1f} items a second: {100 * ratio:.0f} % of the command")
    print(f"Python without reading and checking: {alone:.1f} items a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
