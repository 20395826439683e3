"""Checks the text: length of sentences, words that have a better one, links, anchors, paths and the glossary.

    python3 book/prose.py [--longest]

Sentences are counted in README and guide, and in the doc comments of the crates, where lists of errors may be longer.
--longest prints the longest ones of every file of the book instead.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "book/src"
MOST_WORDS, MOST_MEAN = 40, 18

# What not to write, and what to write instead.
PHRASES = {
    r"\bin clear\b": "in the clear",
    r"\bfor ever\b": "always, never ends, does not expire",
    r"\bnames the (run|set)\b": "random seed",
    r"\b(tells?|reads?|told) (only |about |hardly |up to )?\d[\d.]*( %| to| and)": "is right in … % of cases",
    r"\b(lets?|let) (fresh )?attackers loose\b": "trains attackers",
    r"\bwho does without\b": "without",
    r"\bin the place of\b": "instead of",
    r"\banother, slower way\b": "a slower path",
    r"\bsilence of (the )?outputs\b": "privacy",
    r"\boffices?\b": "authority",
    r"(?<!andom )(?<!andom-)\boracles?\b": "reference; random oracle",
    r"\bweigh(s|ed|ing)?\b": "weight, count",
    r"\bconverses?\b": "serve, answer",
    r"\b(?-i:Ground)\b": "setting, data",
    r"\bclaim(s|ed)?\b": "say, theorem, statement",
    r"\bbehind\b(?! (a|the) prox)": "after, in",
    r"\bslopes?\b": "gradient, derivative",
    r"\bas (a share|shares) of\b": "fraction: a share is a server's part of a key",
    r"\bof one's own\b": "custom",
    r"\boutside of\b": "outside",
    r"\bby twos\b": "pairwise",
    r"\bof before\b": "earlier, older",
    r"\btaken up (again|where)\b": "resumed",
    r"\bgo(es)? on with\b": "continue, resume",
    r"\bmade elsewhere\b": "from elsewhere, imported",
    r"\bdoes? without\b": "has no, does not need",
    r"\bbut for\b": "except",
    r"\bcut (short|off)\b": "truncated, removed, aborted",
    r"\bnobody's\b": "of no one in …",
    r"\bshall\b": "should, must",
    r"\bin (its|their) (place|stead)\b": "instead",
    r"\bpresent (one|share|key|step)s?\b": "current",
    r"\bthe weaker way\b": "a weaker alternative",
    r"\b(?<!there )(is|are) no (key|message|ciphertext|envelope|model|number|text|file|hash|report|policy|network)s?\b": "not a",
    r"(?-i:^\s*What it (is|may be)\.$)": "name it: its value, the allowed values",
}
# Where a word is the term of the field: a line through two points of a curve has a slope.
TERMS = {r"\bslopes?\b": "crates/qfe/src/"}


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).exists()]


def plain(text):
    """Markdown without code, comments, tables, headings and the targets of links; blocks end with an empty line."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^(#.*|\|.*|    .*|!\[.*|\{\{.*)$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*([-*]|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"`[^`]*`", "Code", text)


def sentences(text):
    for block in re.split(r"\n\s*\n", plain(text)):
        for sentence in re.split(r"(?<=[.!?])[*”\"')]*\s+(?=[^a-z])", " ".join(block.split())):
            words = [word for word in sentence.split() if re.search(r"\w", word)]
            if words:
                yield words


def lengths(path):
    return sorted((len(words), " ".join(words)) for words in sentences(path.read_text()))


def spoken(path):
    """Lines of a file that people read: all of a document; comments, docstrings and strings of code."""
    fence = inside = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence ^= bool(re.match(r"(\s*//[/!] )?```", line))
        if fence:
            text = ""
        elif path.suffix == ".md":
            text = line
        elif path.suffix == ".rs":
            comment = re.search(r"(?:^|\s)//[/!]? ?(.*)", line)
            # A string that ends in a backslash goes on in the next line.
            opened = ('"' if inside else "") + line
            quoted = [] if "/tests/" in str(path) else re.findall(r'"((?:[^"\\]|\\.)*)(?:"|\\?$)', opened)
            inside = line.endswith("\\") and not comment
            text = " ".join(([comment[1]] if comment else []) + [part for part in quoted if " " in part])
        else:
            text = line
        yield number, re.sub(r"`[^`]*`|\{\w+(:\?)?\}", "``", text)


def words(paths):
    for path in paths:
        name = str(path.relative_to(ROOT))
        for number, text in spoken(path):
            for pattern, better in PHRASES.items():
                found = re.search(pattern, text, re.IGNORECASE)
                if found and not name.startswith(TERMS.get(pattern, "?")):
                    yield f"{name}:{number}: “{found[0]}”: {better}"


def documented(path):
    """The blocks of doc comments of a Rust file, each with its first line; without their lists of errors."""
    block, start = [], 0
    for number, line in enumerate(path.read_text().splitlines() + [""], 1):
        found = re.match(r"\s*//[/!](?!/) ?(.*)", line)
        if found:
            start = start if block else number
            block.append(found[1])
        elif block:
            yield start, re.split(r"^# Errors$", "\n".join(block), flags=re.MULTILINE)[0]
            block = []


def long_comments(paths):
    for path in paths:
        for number, text in documented(path):
            for found in sentences(text):
                if len(found) > MOST_WORDS:
                    yield f"{path.relative_to(ROOT)}:{number}: {len(found)} words: {' '.join(found)}"


def anchors(path):
    """What a link may name in a page: its headings as mdBook and GitHub write them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(paths):
    for path in paths:
        name = path.relative_to(ROOT)
        text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"\{\{#include ([^}]+)\}\}", text)
        for link in found:
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            if not target.exists():
                yield f"{name}: no file {link}"
            elif anchor and anchor not in anchors(target):
                yield f"{name}: no heading {link}"
            elif PAGES in path.parents and PAGES not in target.parents and target != ROOT / "CHANGELOG.md":
                yield f"{name}: {link} leads out of the book"
        for place in re.findall(r"`((?:crates|book|networks|web|deploy|\.ci)/[\w./-]*)`", text):
            if not (ROOT / place).exists() and not list(ROOT.glob(f"{place}*")):
                yield f"{name}: no path {place}"


def orphans():
    listed = re.findall(r"\]\(([^)]+)\)", (PAGES / "SUMMARY.md").read_text())
    for page in sorted(PAGES.rglob("*.md")):
        if page.name != "SUMMARY.md" and str(page.relative_to(PAGES)) not in listed:
            yield f"{page.relative_to(ROOT)}: not in SUMMARY.md"


def glossary(documents):
    """Terms out of order, explained twice, or used nowhere else."""
    page = PAGES / "reference/glossary.md"
    terms = re.findall(r"^\*\*(.+?)\*\*", page.read_text(), re.MULTILINE)
    if terms != sorted(set(terms), key=str.lower):
        yield "glossary: the terms are not in alphabetical order, or one is there twice"
    others = " ".join(" ".join(path.read_text().lower().split()) for path in documents if path != page)
    for term in terms:
        # Letters after a term, as in “units d”, are its symbols.
        word = re.sub(r" ([a-zA-Z]|n and m)$", "", term).lower()
        if not re.search(rf"\b{re.escape(word.rstrip('s'))}", others):
            yield f"glossary: no page uses “{term}”"


def main():
    documents = [path for path in tracked("*.md") if "/tests/" not in str(path)]
    if "--longest" in sys.argv:
        for path in documents:
            for count, sentence in lengths(path)[-5:]:
                if count > MOST_WORDS - 5:
                    print(f"{count} {path.relative_to(ROOT)}: {sentence}")
        return 0
    wrong, counts = [], []
    for path in [ROOT / "README.md", PAGES / "introduction.md", *sorted((PAGES / "guide").glob("*.md"))]:
        found = lengths(path)
        counts += [count for count, _ in found]
        wrong += [f"{path.relative_to(ROOT)}: {count} words: {text}" for count, text in found if count > MOST_WORDS]
    mean = sum(counts) / len(counts)
    print(f"README and guide: {len(counts)} sentences, mean {mean:.1f} words, longest {max(counts)}")
    if mean > MOST_MEAN:
        wrong.append(f"mean of {mean:.1f} words; at most {MOST_MEAN}")
    book = [count for path in documents for count, _ in lengths(path)]
    print(f"all documents: {len(book)} sentences, mean {sum(book) / len(book):.1f} words, longest {max(book)}")
    wrong += words(documents + tracked("crates/*.rs", "crates/python/core/python/*.py", "book/notebooks/*.py", "web/src/*"))
    wrong += long_comments([path for path in tracked("crates/*.rs") if "/tests/" not in str(path)])
    wrong += links(documents)
    wrong += orphans()
    wrong += glossary(documents)
    if wrong:
        sys.exit("\n".join(wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main())
