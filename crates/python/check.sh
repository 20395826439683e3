#!/usr/bin/env bash
# The Python package from a fresh virtual environment: wheel, quick start, tests, types, tutorials.
#
#     crates/python/check.sh [FOLDER]          uses or makes FOLDER/venv; PYTHON chooses the interpreter
#
# Ray is always there, Spark where Java is (`apt install default-jre-headless`). HALFLIGHT_ENGINES=1 installs Daft and DataFusion too,
# HALFLIGHT_TORCH=1 PyTorch (several gigabytes); without them their tests say that they were skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "${1:-/tmp/halflight-python}" && cd "${1:-/tmp/halflight-python}" && pwd)
"${PYTHON:-python3}" -m venv "$folder/venv"
pip="$folder/venv/bin/python -m pip install --quiet"
$pip 'maturin>=1.9,<2' pytest mypy pyright scikit-learn pandas joblib tqdm jupytext nbclient nbformat ipykernel matplotlib onnx onnxruntime pyarrow polars ray
# More engines for bulk work.
if command -v java > /dev/null; then $pip pyspark; fi
if [ -n "${HALFLIGHT_ENGINES:-}" ]; then $pip daft datafusion; fi
if [ -n "${HALFLIGHT_TORCH:-}" ]; then $pip torch; fi

rm -rf "$folder/wheels"
# One target folder with the root workspace, and its features: burn is compiled once.
target="${CARGO_TARGET_DIR:-$here/../../target}"
CARGO_TARGET_DIR="$target" "$folder/venv/bin/maturin" build --quiet --locked \
  --profile dev --features shared --manifest-path "$here/Cargo.toml" --out "$folder/wheels"
$pip --force-reinstall --no-deps "$folder"/wheels/halflight-*.whl
$pip numpy

cd "$folder"
# Where `cargo build` has made the command, the client is tested against it, and tutorial 12 runs it.
HALFLIGHT="${HALFLIGHT:-$(cd "$target" && pwd)/debug/halflight}"
export HALFLIGHT
venv/bin/python "$here/tests/quick_start.py"
venv/bin/python -m pytest -q -p no:cacheprovider "$here/tests"
(cd "$here" && "$folder/venv/bin/mypy" --cache-dir "$folder/mypy")
# Without PyTorch, `torch` would be taken for the package of that name here.
typed=$(cd "$here" && find core/python/halflight -name '*.py*' -not -path '*/torch/*')
if venv/bin/python -c 'import torch' 2>/dev/null; then typed=; fi
# shellcheck disable=SC2086
(cd "$here" && "$folder/venv/bin/pyright" --pythonpath "$folder/venv/bin/python" $typed)
skip=()
venv/bin/python -c 'import torch' 2>/dev/null || skip+=(11)
[ -x "$HALFLIGHT" ] || skip+=(12)
venv/bin/python "$here/../../book/run_notebooks.py" --scale 0.05 --skip "${skip[@]}" --out "$folder/notebooks"
# The pictures of the book's tutorials, on a twentieth of their data.
if [ -x "$HALFLIGHT" ]; then venv/bin/python "$here/../../book/pictures.py" --scale 0.05 "$folder/pictures"; fi
