#!/usr/bin/env bash
# Wheels for Linux on x86-64 and aarch64, of the whole package and of halflight-core, which has no trainer.
#
#     crates/python/wheels.sh [FOLDER]         wheels go to FOLDER, dist by default
#
# One machine makes all: zig compiles and links what is C, for glibc 2.28. PARTS="core" makes the small ones alone,
# TARGETS="aarch64" those of one processor, PROFILE=dev takes the profile of the tests. TOOLS names a virtual environment
# with maturin and ziglang, CARGO_TARGET_DIR the folder of what is compiled.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd)
targets=${TARGETS:-x86_64 aarch64}
# Found missing before anything is compiled.
for target in $targets; do
  triple=$target-unknown-linux-gnu
  if command -v rustup > /dev/null; then (cd "$here" && rustup target add "$triple") || true; fi
  if ! ls "$(cd "$here" && rustc --print sysroot)/lib/rustlib/$triple/lib/"libstd-*.rlib > /dev/null 2>&1; then
    echo "wheels.sh: this Rust has no standard library for $triple. \`rustup target add $triple\` brings it; where rustup" \
      "cannot be had, TARGETS=$(uname -m) makes the wheels of this processor" >&2
    exit 1
  fi
done
tools=${TOOLS:-$folder/.tools}
[ -x "$tools/bin/maturin" ] || "${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet 'maturin>=1.9,<2' ziglang
for target in $targets; do
  for part in ${PARTS:-whole core}; do
    # The folder names the project: its pyproject.toml says which features the wheel has.
    project=$here
    if [ "$part" = core ]; then project=$here/core; fi
    (cd "$project" && PATH="$tools/bin:$PATH" maturin build --quiet --locked --profile "${PROFILE:-release}" --zig \
      --compatibility manylinux_2_28 --target "$target-unknown-linux-gnu" --out "$folder")
  done
done
# maturin leaves out a Python half that is not where the project says, without a word.
for wheel in "$folder"/*.whl; do
  "$tools/bin/python" -m zipfile -l "$wheel" | grep -q '^halflight/__init__.py' || { echo "wheels.sh: $wheel has no Python half" >&2; exit 1; }
done
ls -l "$folder"/*.whl
