"""Executes the tutorials headless and writes them as pages with their outputs.

    python book/run_notebooks.py --scale 0.05 --out pages [01 07 ...]
"""

import argparse
import os
import pathlib
import sys
import time

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = pathlib.Path(__file__).parent / "notebooks"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="0.05", help="sizes of data and training, 1 for those of the text")
    parser.add_argument("--out", type=pathlib.Path, help="folder for the executed notebooks")
    parser.add_argument("--skip", nargs="*", default=[], help="prefixes to leave out")
    parser.add_argument("only", nargs="*", help="prefixes to run, such as 01; all by default")
    chosen = parser.parse_args()
    os.environ["HALFLIGHT_SCALE"] = chosen.scale
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"
    # Pictures go into the pages, whatever the machine would draw on.
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    passed = failed = 0
    for path in sorted(HERE.glob("*.py")):
        if chosen.only and not path.name.startswith(tuple(chosen.only)) or path.name.startswith(tuple(chosen.skip)):
            continue
        notebook = jupytext.read(path)
        start = time.monotonic()
        try:
            NotebookClient(notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": HERE}}).execute()
        except CellExecutionError as error:
            failed += 1
            print(f"{path.name}: {error}", file=sys.stderr)
        else:
            missing = not has_picture(notebook)
            failed, passed = failed + missing, passed + (not missing)
            if missing:
                print(f"{path.name}: draws no picture", file=sys.stderr)
            print(f"{path.name}: {time.monotonic() - start:.0f} s", flush=True)
        if chosen.out:
            chosen.out.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, chosen.out / f"{path.stem}.ipynb")
    print(f"{passed} passed, {failed} failed")
    return failed or not passed


def has_picture(notebook: nbformat.NotebookNode) -> bool:
    """Whether the run itself made one."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return any("image/png" in output.get("data", {}) for output in outputs)


if __name__ == "__main__":
    sys.exit(main())
