#!/usr/bin/env bash
# Adds to the committed corpus those inputs of a grown one that reach most code beyond it:
#     fuzz/minimise.sh CORPUS [TARGET...]
# At most KEEP inputs for each target (default 12), of at most MOST bytes each (default 512). After fuzz/run.sh, whose
# binaries it uses.
set -euo pipefail
cd "$(dirname "$0")"
grown=${1:?the folder that CORPUS named}
shift
binaries=${CARGO_TARGET_DIR:-$PWD/target}/debug
if [ $# -gt 0 ]; then targets=("$@"); else
  mapfile -t targets < <(sed -n 's/^path = "targets\/\(.*\)\.rs"/\1/p' Cargo.toml)
fi
scratch=$(mktemp -d -p /dev/shm halflight-fuzz.XXXXXX 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for target in "${targets[@]}"; do
  [ -d "$grown/$target" ] && [ -x "$binaries/$target" ] || continue
  mkdir -p "$scratch/$target" "$scratch/tmp-$target"
  cp "corpus/$target"/* "$scratch/$target"
  # The fewest that reach all edges, those that reach most first.
  TMPDIR=$scratch/tmp-$target "$binaries/$target" -set_cover_merge=1 -use_counters=0 -max_len="${MOST:-512}" \
    "$scratch/$target" "$grown/$target" >"$scratch/$target.log" 2>&1 || true
  new=$(grep -o '[0-9]* new files' "$scratch/$target.log" | cut -d' ' -f1 || true)
  mapfile -t first < <(cd "$scratch/$target" && find . -type f -printf '%T@ %i %f\n' | sort -k1,1n -k2,2n |
    tail -n "${new:-0}" | head -n "${KEEP:-12}" | cut -d' ' -f3)
  added=0
  for name in "${first[@]}"; do
    cp -n "$scratch/$target/$name" "corpus/$target/"
    added=$((added + 1))
  done
  echo "$target: $added of ${new:-0} inputs added"
done
