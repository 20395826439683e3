#!/usr/bin/env bash
# Wheels for Linux on x86-64 and aarch64, of the whole package and of halflight-core, which has no trainer.
#
#     crates/python/wheels.sh [FOLDER]         wheels go to FOLDER, dist by default
#
# One machine makes all: zig compiles and links what is C, for glibc 2.28. PARTS="core" makes the small ones alone,
# TARGETS="aarch64" those of one processor, PROFILE=dev takes the profile of the tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd)
tools=${TOOLS:-$folder/.tools}
[ -x "$tools/bin/maturin" ] || "${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet 'maturin>=1.9,<2' ziglang
for target in ${TARGETS:-x86_64 aarch64}; do
  if command -v rustup > /dev/null; then (cd "$here" && rustup target add "$target-unknown-linux-gnu" 2> /dev/null); fi
  for part in ${PARTS:-whole core}; do
    # The folder names the project: its pyproject.toml says which features the wheel has.
    project=$here
    if [ "$part" = core ]; then project=$here/core; fi
    (cd "$project" && PATH="$tools/bin:$PATH" maturin build --quiet --locked --profile "${PROFILE:-release}" --zig \
      --compatibility manylinux_2_28 --target "$target-unknown-linux-gnu" --out "$folder")
  done
done
ls -l "$folder"/*.whl
