"""The quick start of the README, read from there and run with a tenth of its data."""

import pathlib
import re

text = (pathlib.Path(__file__).parents[1] / "README.md").read_text()
code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
assert code is not None, "README.md has lost its example"
exec(compile(code[1].replace("40_000", "4_000").replace("10_000", "2_000"), "README.md", "exec"))
