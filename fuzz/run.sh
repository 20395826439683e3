#!/usr/bin/env bash
# Builds all fuzz targets with the stable compiler, optimised and with assertions, and runs each of them for so many
# seconds, two at a time:
#     fuzz/run.sh SECONDS [TARGET...]
# Prints a table of executions and findings. Inputs that reach more code are kept in CORPUS (default fuzz/corpus),
# findings in fuzz/artifacts. LIGHT=1 leaves out the targets of the servers and of Parquet, which build for long.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?how many seconds each target runs}
shift
corpus=${CORPUS:-$PWD/corpus}
jobs=${JOBS:-2}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

features=(--features libfuzzer)
[ -z "${LIGHT:-}" ] || features+=(--no-default-features)
CARGO_INCREMENTAL=0 RUSTC_WRAPPER=$PWD/rustc ${CARGO:-cargo} --config profile.toml \
  build --locked -p halflight-fuzz --bins "${features[@]}"
[ "$seconds" -gt 0 ] || exit 0

binaries=$CARGO_TARGET_DIR/debug
if [ $# -gt 0 ]; then targets=("$@"); else
  mapfile -t targets < <(sed -n 's/^path = "targets\/\(.*\)\.rs"/\1/p' Cargo.toml)
fi
mkdir -p artifacts
scratch=$(mktemp -d -p /dev/shm halflight-fuzz.XXXXXX 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# One target: its log stays in $scratch until the table is printed.
one() {
  local target=$1
  [ -x "$binaries/$target" ] || return 0
  mkdir -p "$corpus/$target" "$scratch/$target"
  local dictionary=()
  [ ! -e "$target.dict" ] || dictionary=(-dict="$target.dict")
  TMPDIR=$scratch/$target nice -n 19 "$binaries/$target" "$corpus/$target" \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len="${MAX_LEN:-2048}" -len_control=50 \
    -print_final_stats=1 -artifact_prefix="artifacts/$target-" "${dictionary[@]}" \
    >"$scratch/$target.log" 2>&1 || true
}
export -f one
export binaries corpus scratch seconds
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'one {}'

printf '%-12s %15s %12s %10s  %s\n' target executions per_second coverage finding
total=0
for target in "${targets[@]}"; do
  log=$scratch/$target.log
  [ -e "$log" ] || continue
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
  finding=$(grep -o 'artifacts/[^ ]*' "$log" | tail -1 || true)
  printf '%-12s %15s %12s %10s  %s\n' "$target" "${executions:-0}" "${rate:-0}" "${coverage:-?}" "${finding:-none}"
  total=$((total + ${executions:-0}))
done
printf '%-12s %15s\n' all "$total"
