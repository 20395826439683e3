#!/usr/bin/env bash
# Drives the page in headless Chromium against a real predictor, and compares what it shows with the command and with
# the integer networks: of pictures, of a table and of sound.
#
#   web/test.sh                     tests
#   web/test.sh --pictures FOLDER   writes the pictures of the book instead
#
# Needs web/dist (web/build.sh), node, npm and chromium (or
# CHROMIUM=PATH); says so and passes where one is missing. HALFLIGHT=PATH tests that command instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(realpath "$target")
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}

if [ "${1:-}" = --pictures ]; then pictures=$(realpath "${2:?a folder}"); fi

skip() { echo "skipped: $1" >&2; exit 0; }
[ -f web/dist/index.html ] || skip "the page is not built; run web/build.sh"
[ -n "$chromium" ] || skip "no chromium"
command -v node >/dev/null && command -v npm >/dev/null || skip "no node or npm"
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || skip "node is older than 20, which the driver needs"

if [ -z "${HALFLIGHT:-}" ]; then
  # As the tests build it: other selections have other features, and would compile the large dependencies twice.
  cargo test --workspace --locked --no-run
  HALFLIGHT=$target/debug/halflight
fi
HALFLIGHT=$(realpath "$HALFLIGHT")

gzipped=$(gzip -9 -c web/dist/halflight.wasm | wc -c)
echo "halflight.wasm: $gzipped bytes gzipped"
[ "$gzipped" -lt 400000 ] || { echo "more than 400,000 bytes: a phone waits for it" >&2; exit 1; }

work=$target/page-test
rm -rf "$work/shop"
mkdir -p "$work/driver" "$work/shop"
cp web/test/* "$work/driver/"
cp crates/cli/src/commands/demo/ready*.json "$work/driver/"
(cd "$work/driver" && npm ci --silent --no-audit --no-fund --ignore-scripts) || skip "npm cannot fetch the driver"

cd "$work/shop"
node "$work/driver/make.mjs" .
export HALFLIGHT_PASSPHRASE="only for this test"

# A model of this name, from data of this name: trained a little, compiled, and opened by keys of its own.
model() {
  local name=$1 main=$2 collateral=$3
  shift 3
  mkdir -p "models/$name"
  "$HALFLIGHT" train --data "$name.safetensors" --main "$main" --collateral "$collateral" --defence none \
    --out "$name.network.safetensors" "$@"
  "$HALFLIGHT" compile "$name.network.safetensors" --data "$name.safetensors" --steps 60 --out "models/$name/network.safetensors"
  "$HALFLIGHT" authority init --network "models/$name/network.safetensors" --folder "keys-$name"
  "$HALFLIGHT" authority issue --network "models/$name/network.safetensors" --folder "keys-$name" --out "models/$name/functional.key"
  "$HALFLIGHT" page "models/$name/network.safetensors" --data "$name.safetensors" --collateral "$collateral" --out "models/$name/page.json"
  cp "keys-$name/public/public.key" "models/$name/"
}

{
  "$HALFLIGHT" dataset draw --count 1500 --pairs --seed 1 --out digits.safetensors
  model digits character font --pooling 2 --steps 120
  "$HALFLIGHT" dataset import table people.csv --labels rich,sex --ordinal 'size=S<M<L' --missing category --unknown other \
    --out people.safetensors
  model people rich sex --steps 60
  "$HALFLIGHT" dataset import speech words --pattern '{word}_{voice}_{}.wav' --out words.safetensors
  model words word voice --pooling 2 --steps 60
  cp -r models/digits models/ward
  echo 'context = "ward 3 intake"' >models/ward/model.toml
} >log.txt 2>&1 || { cat log.txt >&2; exit 1; }

if [ "${1:-}" = --pictures ]; then
  HALFLIGHT=$HALFLIGHT SHOP=$work/shop CHROMIUM=$chromium exec node "$work/driver/pictures.mjs" "$pictures"
fi

# One file after the other: each has a browser and a predictor of its own.
HALFLIGHT=$HALFLIGHT SHOP=$work/shop CHROMIUM=$chromium node --test --test-concurrency=1 "$work"/driver/*.test.mjs
