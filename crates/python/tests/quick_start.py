"""The Python of both READMEs, read from there and run with a tenth of its data."""

import pathlib
import re

for folder in (pathlib.Path(__file__).parents[1], pathlib.Path(__file__).parents[3]):
    text = (folder / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None, f"{folder / 'README.md'} has lost its example"
    exec(compile(code[1].replace("40_000", "4_000").replace("10_000", "2_000"), "README.md", "exec"))
