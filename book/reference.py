"""Fills the reference pages from the program, while mdBook builds the book.

    python3 book/reference.py --print commands|python

A page says where by {{#reference commands}} (every verb's --help, as the tests of the command keep it) or by
{{#reference python}} (signatures and docstrings of the package).
"""

import ast
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SNAPSHOTS = ROOT / "crates/cli/tests/snapshots"
PACKAGE = ROOT / "crates/python/core/python/halflight"
MODULES = {
    "halflight": "__init__.py",
    "halflight.torch": "torch/__init__.py",
    "halflight.onnx": "onnx.py",
    "halflight.sklearn": "sklearn.py",
    "halflight.batch": "batch.py",
    "halflight.errors": "errors.py",
}


def block(text):
    return f"```text\n{text.strip(chr(10))}\n```\n"


def commands():
    for path in sorted(SNAPSHOTS.glob("help__*.snap"), key=lambda path: path.stem.replace("help__halflight", "")):
        verb = path.stem.removeprefix("help__")
        # The name of the file joins words by hyphens, and some verbs have hyphens: the usage has them right.
        help_text = path.read_text().split("---\n", 2)[2]
        usage = re.search(r"^Usage: (halflight(?: [a-z][a-z-]*)*)", help_text, re.MULTILINE)
        yield f"## {usage[1] if usage else verb}\n\n{block(help_text)}"


def public(module):
    """Names of `__all__`, or all of a module without it, each with the file that defines it."""
    tree = ast.parse(module.read_text())
    listed, sources = [], {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            sources.update({name.name: module.parent / f"{node.module}.py" for name in node.names})
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            listed = ast.literal_eval(node.value)
    definitions = [node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    defined = [name for name in definitions if name[0] != "_"]
    found = [(name, sources.get(name, module)) for name in listed or defined]
    return [(name, path) for name, path in found if path.exists()]


def call(function):
    """Signature and docstring; a property has a type and no arguments."""
    if any(getattr(decorator, "id", "") == "property" for decorator in function.decorator_list):
        return f"{function.name}: {ast.unparse(function.returns)}\n\n{ast.get_docstring(function)}"
    arguments = re.sub(r"^(self|cls)(, )?", "", ast.unparse(function.args))
    result = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"{function.name}({arguments}){result}\n\n{ast.get_docstring(function)}"


def described(prefix, path, name):
    """A function, or a class with its documented methods."""
    for node in ast.parse(path.read_text()).body:
        if getattr(node, "name", None) != name or not ast.get_docstring(node):
            continue
        if isinstance(node, ast.ClassDef):
            yield f"## {prefix}.{name}\n\n{block(ast.get_docstring(node))}"
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name[0] != "_" and ast.get_docstring(method):
                    yield f"### {name}.{method.name}\n\n{block(call(method))}"
        else:
            yield f"## {prefix}.{name}\n\n{block(call(node))}"


def python():
    for prefix, file in MODULES.items():
        for name, path in public(PACKAGE / file):
            yield from described(prefix, path, name)


PAGES = {"commands": commands, "python": python}


def fill(part):
    """Replaces the markers in every chapter of a book, whatever mdBook calls the lists that hold them."""
    if isinstance(part, list):
        return [fill(each) for each in part]
    if isinstance(part, dict):
        return {key: fill(value) for key, value in part.items()}
    if isinstance(part, str):
        return re.sub(r"\{\{#reference (\w+)\}\}", lambda marker: "\n".join(PAGES[marker[1]]()), part)
    return part


if __name__ == "__main__":
    if sys.argv[1:2] == ["supports"]:
        sys.exit(0)
    elif sys.argv[1:2] == ["--print"]:
        print("\n".join(PAGES[sys.argv[2]]()))
    else:
        _, book = json.load(sys.stdin)
        json.dump(fill(book), sys.stdout)
