"""Runs every command of README and book, on few images and in few steps, so that none of them goes stale.

    HALFLIGHT=target/debug/halflight python book/run_chapters.py [--only WORD] [FOLDER]

A fenced block without a language, or of the language `sh`, is run: all blocks of a page in one shell, in a folder that
holds what the first page of the guide made. A block is left out only where a comment before it says why:

    <!-- not run: takes an hour -->

A page may have a comment with what must be there first, and with what a placeholder of the text stands for:

    <!-- first
    halflight keygen --out north.key
    PIN=$(…)
    -->
    <!-- for: HASH = $PIN -->

Servers are started on free ports and stopped at the end of the page: `start NAME halflight serve …` sets $NAME to their
address. Every option that a page names is looked up in the help of its verb, every name of the
Python package in the package, and blocks of Python and TOML must parse (crates/python/tests/quick_start.py runs the first of
README and guide). At the end all files that the pages made are
parsed by the byte tables of the book.
"""

import ast
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import formats

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "book/src"
FIRST = HERE / "guide/first.md"
HELP = ROOT / "crates/cli/tests/snapshots"
PACKAGE = ROOT / "crates/python/core/python/halflight"
# Options that make a verb quick, given where the page does not choose.
QUICK = {
    "train": {"--steps": "--steps 20", "--units": "--units 6", "--pooling": "--pooling 4", "--batch": "--batch 100"},
    "compile": {"--steps": "--steps 4"},
    "audit": {"--families": "--families qda,knn-7"},
    "bench": {"--load": "--shape paper --runs 1"},
}
SHELL = r"""
set -euo pipefail
SERVERS=()
trap 'kill "${SERVERS[@]}" 2>/dev/null || true; wait' EXIT
# start NAME COMMAND …: a server on a free port; NAME becomes its address.
start() {
  local name=$1 log; shift; log=$(mktemp)
  "$@" --listen 127.0.0.1:0 >>"$log" 2>&1 & SERVERS+=($!)
  for _ in $(seq 600); do
    if grep -qE 'https?://127\.0\.0\.1:[0-9]+' "$log"; then
      printf -v "$name" %s "$(grep -oE 'https?://127\.0\.0\.1:[0-9]+' "$log" | head -n 1)"; return
    fi
    kill -0 $! || break; sleep 0.1
  done
  cat "$log" >&2; return 1
}
"""
# Languages of blocks that are no commands.
OTHER = ("text", "toml", "python", "rust")
MOST_SECONDS = 240
PASSPHRASE = "correct horse battery staple"


def pages():
    """The README, and all pages of the book that are no copies, the first one of the guide first."""
    rest = [path for path in sorted(HERE.rglob("*.md")) if path not in (FIRST, HERE / "SUMMARY.md")]
    return [FIRST, ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("crates/**/README.md")), *rest]


def blocks(page):
    """The script of a page, the blocks that are left out with their reasons, and what is wrong with the page."""
    text = page.read_text()
    places, script, left, wrong = {}, [], [], []
    pattern = r"<!-- first\n(.*?)\n-->|<!-- for: (.*?) = (.*?) -->|(?:<!-- not run: ([^\n]+) -->\n+)?^```([^\n]*)\n(.*?)^```$"
    for found in re.finditer(pattern, text, re.DOTALL | re.MULTILINE):
        before, place, meant, reason, language, block = found.groups()
        if before:
            script.append(before)
        elif place:
            places[place] = meant
        elif language in ("", "sh"):
            if reason:
                left.append((block.splitlines()[0], reason))
            else:
                script.append("\n".join(cut(line) for line in block.replace("\\\n", " ").splitlines()))
        elif language.split(",")[0] not in OTHER:
            wrong.append(f"{page.relative_to(ROOT)}: a block of the language {language}: commands have none, or `sh`")
    outside = re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)
    for line in re.findall(r"^    (?:halflight|cargo|python3?|pip|book/)\b.*", outside, re.MULTILINE):
        wrong.append(f"{page.relative_to(ROOT)}: put this command into a fenced block: {line.strip()}")
    joined = "\n".join(script)
    for place, meant in places.items():
        if place not in joined:
            wrong.append(f"{page.relative_to(ROOT)}: no block has “{place}”")
        joined = joined.replace(place, meant)
    return joined, left, wrong


def cut(line):
    """A command of a page, made quick."""
    line = re.sub(r"--draw \d+", "--draw 2000", re.sub(r"--count \d\d\d+", "--count 400", line))
    line = re.sub(r"--epochs \d+,\d+,\d+", "--epochs 1,1,0", line)
    verb = re.search(r"halflight (\w+)", line)
    options = QUICK.get(verb.group(1), {}) if verb else {}
    command, comment = re.match(r"(.*?)(\s+# .*)?$", line).groups(default="")
    command, redirect, target = command.partition(" > ")
    # Epochs are the steps of adversarial defences.
    given = line.replace("--epochs", "--epochs --steps")
    # Rows of a table have no neighbours to pool; frequencies and components are no cells.
    given = re.sub("--normalise column|--dct|--pca", "--normalise column --pooling", given)
    command += "".join(f" {option}" for name, option in options.items() if name not in given)
    for written in re.findall(r"--(?:out|report|rest|held) (\S+)", line):
        command = f"rm -rf {written} {written.removesuffix('.html')}.json; {command}"
    if "authority init" in line:
        folder = re.search(r"--folder (\S+)", line)[1]
        command = f"rm -rf {folder}; {command}"
    if "halflight serve" in line or "demo --serve" in line:
        name = "AUTHORITY" if "serve authority" in line else "PREDICTOR"
        command = f"start {name} {command}"
    return command + redirect + target


def run(page, folder):
    """What is wrong with a page, once its commands were run; and the seconds that they took."""
    script, _, wrong = blocks(page)
    if not script.strip():
        return wrong, 0.0
    name = page.relative_to(ROOT)
    path = os.pathsep.join([str(halflight().parent), os.environ["PATH"]])
    environment = {
        **os.environ,
        "PATH": path,
        "ROOT": str(ROOT),
        "HALFLIGHT_CLIENT": str(folder / "client"),
    }
    begun = time.monotonic()
    log = folder / "page.log"
    with log.open("w") as out:
        shell = subprocess.Popen(
            ["bash", "-c", SHELL + "set -x\n" + script], cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            status = shell.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            status = f"more than {MOST_SECONDS} seconds"
        finally:
            try:
                os.killpg(shell.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
    if status:
        wrong.append(f"{name}: {status}\n" + "\n".join(log.read_text().splitlines()[-25:]))
    return wrong, time.monotonic() - begun


def halflight():
    return pathlib.Path(os.environ.get("HALFLIGHT", ROOT / "target/debug/halflight")).absolute()


def verbs():
    """The help of every verb, by its words."""
    found = {}
    for path in HELP.glob("help__*.snap"):
        text = path.read_text().split("---\n", 2)[2]
        usage = re.search(r"^Usage: halflight((?: [a-z][a-z-]*)*)", text, re.MULTILINE)
        found[usage[1].strip()] = text
    return found


def unknown_options(page, known):
    """Commands anywhere in a page, run or not, whose verb or options the program does not have."""
    text = page.read_text().replace("\\\n", " ")
    for found in re.finditer(r"(?<![\w/-])halflight ((?:[a-z][a-z-]* ?)+)([^`\n#|]*)", text):
        words = found[1].split()
        while words and " ".join(words) not in known:
            words.pop()
        first = found[1].split()[0]
        if not words and first in {verb.split()[0] for verb in known if verb}:
            words = [first]
        if not words:
            continue
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", found[2]):
            if option not in known[" ".join(words)] and option not in ("--help", "--version"):
                yield f"{page.relative_to(ROOT)}: `halflight {' '.join(words)}` has no {option}"


def unreadable(page):
    """Blocks of Python and TOML that do not parse, and names that the Python package does not have."""
    name = page.relative_to(ROOT)
    exported = set(re.findall(r'"(\w+)"', (PACKAGE / "__init__.py").read_text().split("__all__", 1)[1]))
    modules = {path.stem for path in PACKAGE.iterdir()}
    for language, block in re.findall(r"^```(python|toml)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE):
        try:
            if language == "python":
                compile(block, str(name), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            elif tomllib:
                tomllib.loads(block)
        except (SyntaxError, ValueError) as error:
            yield f"{name}: a block does not parse: {error}"
    for used in sorted(set(re.findall(r"\bhl\.(\w+)", page.read_text())) - exported - modules):
        yield f"{name}: the Python package has no hl.{used}"


def main():
    arguments = sys.argv[1:]
    only = arguments.pop(arguments.index("--only") + 1) if "--only" in arguments else ""
    arguments = [argument for argument in arguments if argument != "--only"]
    folder = pathlib.Path(arguments[0] if arguments else tempfile.mkdtemp()).resolve()
    begun = time.monotonic()
    os.environ["HALFLIGHT_PASSPHRASE"] = PASSPHRASE
    known = verbs()
    wrong = [problem for page in pages() for problem in [*unknown_options(page, known), *unreadable(page)]]
    start = folder / "first"
    start.mkdir(parents=True)
    problems, _ = run(FIRST, start)
    if problems:
        sys.exit("\n".join(wrong + problems))
    chosen = [page for page in pages()[1:] if only in str(page)]

    def one(page):
        own = folder / "-".join(page.relative_to(ROOT).with_suffix("").parts)
        shutil.copytree(start, own)
        return page, *run(page, own)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for page, problems, seconds in pool.map(one, chosen):
            wrong += problems
            if seconds:
                print(f"{page.relative_to(ROOT)}: {seconds:.0f} s" + (", failed" if problems else ""), flush=True)
    left = [(page, block, reason) for page in chosen for block, reason in blocks(page)[1]]
    for page, block, reason in left:
        print(f"not run: {page.relative_to(ROOT)}: {block} ({reason})")
    failed = formats.report([*formats.OWN, folder], every=not only)
    print(f"{len(chosen) + 1} pages, {len(left)} blocks left out, {time.monotonic() - begun:.0f} s")
    if wrong or failed:
        sys.exit("\n".join(wrong) or 1)


if __name__ == "__main__":
    main()
