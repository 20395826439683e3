"""Runs the commands of README, guide and tutorials, on few images and in few steps, so that none of them goes stale.

    HALFLIGHT=target/debug/halflight python book/run_chapters.py [FOLDER]

Left out: servers (notebook 12 starts one), and imports of files that the reader has.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "book/src"
FIRST = "guide/first.md"
LEFT_OUT = ("halflight demo", "halflight serve", "halflight bench", "import idx", "halflight import ", "cargo ")
# Options that make a verb quick, given where the chapter does not choose.
QUICK = {
    "train": {"--steps": "--steps 20", "--units": "--units 6", "--pooling": "--pooling 4", "--batch": "--batch 100"},
    "compile": {"--steps": "--steps 4"},
    "audit": {"--families": "--families qda,knn-7"},
}


def commands(chapter):
    """The shell blocks of a chapter, cut down."""
    for language, block in re.findall(r"^```([^\n]*)\n(.*?)^```$", chapter.read_text(), re.DOTALL | re.MULTILINE):
        if language:
            continue
        lines = [cut(line) for line in block.replace("\\\n", " ").splitlines()]
        if any("halflight" in line for line in lines):
            yield "\n".join(line for line in lines if not any(word in line for word in LEFT_OUT))


def cut(line):
    line = re.sub(r"--count \d+", "--count 400", line)
    line = re.sub(r"--epochs \d+,\d+,\d+", "--epochs 1,1,0", line)
    verb = re.search(r"halflight (\w+)", line)
    options = QUICK.get(verb.group(1), {}) if verb else {}
    command, redirect, target = line.partition(" > ")
    # Epochs are the steps of adversarial defences.
    given = line.replace("--epochs", "--epochs --steps")
    # Rows of a table have no neighbours to pool.
    given = given.replace("--normalise column", "--normalise column --pooling")
    command += "".join(f" {option}" for name, option in options.items() if name not in given)
    for written in re.findall(r"--(?:out|report) (\S+)", line):
        command = f"rm -rf {written} {written.removesuffix('.html')}.json; {command}"
    if "authority init" in line:
        command = f"rm -rf authority; {command}"
    return command + redirect + target


def run(chapter, folder):
    """Whether all of a chapter's commands succeed."""
    path = os.pathsep.join([str(pathlib.Path(os.environ.get("HALFLIGHT", "halflight")).resolve().parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "HALFLIGHT_PASSPHRASE": "correct horse battery staple"}
    for block in commands(chapter):
        done = subprocess.run(["bash", "-euc", block], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            print(f"{chapter.relative_to(ROOT)}:\n{block}\n{done.stderr}", file=sys.stderr)
            return False
    return True


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).resolve()
    start = folder / "first"
    start.mkdir(parents=True)
    if not run(HERE / FIRST, start):
        return 1
    failed = 0
    chapters = [ROOT / "README.md", *sorted((HERE / "tutorials").glob("*.md"))]
    for chapter in chapters:
        own = folder / chapter.stem
        shutil.copytree(start, own)
        failed += not run(chapter, own)
    print(f"{len(chapters) + 1 - failed} chapters passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
