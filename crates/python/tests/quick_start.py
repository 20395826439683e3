"""The Python of both READMEs and of the guide, read from there and run with a tenth of its data."""

import pathlib
import re

root = pathlib.Path(__file__).parents[3]
for page in (root / "README.md", root / "crates/python/README.md", root / "book/src/guide/python.md"):
    code = re.search(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert code is not None, f"{page} has lost its example"
    exec(compile(code[1].replace("40_000", "4_000").replace("10_000", "2_000"), page.name, "exec"))
