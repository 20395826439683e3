#!/usr/bin/env bash
# Adds to the committed corpus what a grown one reaches beyond it, each input small and none twice:
#     fuzz/minimise.sh CORPUS [TARGET...]
# After fuzz/run.sh, whose binaries it uses. Inputs of more than MOST bytes (default 2048) are left out.
set -euo pipefail
cd "$(dirname "$0")"
grown=${1:?the folder that CORPUS named}
shift
binaries=${CARGO_TARGET_DIR:-$PWD/target}/debug
if [ $# -gt 0 ]; then targets=("$@"); else
  mapfile -t targets < <(sed -n 's/^path = "targets\/\(.*\)\.rs"/\1/p' Cargo.toml)
fi
for target in "${targets[@]}"; do
  [ -d "$grown/$target" ] && [ -x "$binaries/$target" ] || continue
  before=$(find "corpus/$target" -type f | wc -l)
  TMPDIR=/dev/shm "$binaries/$target" -merge=1 -max_len="${MOST:-2048}" "corpus/$target" "$grown/$target" >/dev/null 2>&1 || true
  echo "$target: $(($(find "corpus/$target" -type f | wc -l) - before)) inputs added"
done
