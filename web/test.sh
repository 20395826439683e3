#!/usr/bin/env bash
# Drives the page in headless Chromium against a real predictor, and compares what it shows with the command and with
# the integer network. Needs web/dist (web/build.sh), node, npm and chromium (or CHROMIUM=PATH); says so and passes
# where one is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(realpath "$target")
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}

skip() { echo "skipped: $1" >&2; exit 0; }
[ -f web/dist/index.html ] || skip "the page is not built; run web/build.sh"
[ -n "$chromium" ] || skip "no chromium"
command -v node >/dev/null && command -v npm >/dev/null || skip "no node or npm"

# As the tests build it: other selections have other features, and would compile the large dependencies twice.
cargo test --workspace --locked --no-run
halflight=$target/debug/halflight

work=$target/page-test
rm -rf "$work/shop"
mkdir -p "$work/driver" "$work/shop/models/"{digits,ward}
cp web/test/* "$work/driver/"
(cd "$work/driver" && npm ci --silent --no-audit --no-fund --ignore-scripts) || skip "npm cannot fetch the driver"

cd "$work/shop"
export HALFLIGHT_PASSPHRASE="only for this test"
{
  "$halflight" dataset draw --count 1500 --pairs --seed 1 --out train.safetensors
  "$halflight" train --data train.safetensors --main character --collateral font --defence none --pooling 2 \
    --steps 120 --out network.safetensors
  "$halflight" compile network.safetensors --data train.safetensors --steps 60 --out compiled.safetensors
  "$halflight" authority init --network compiled.safetensors --folder authority
  "$halflight" authority issue --network compiled.safetensors --folder authority --out functional.key
  "$halflight" page compiled.safetensors --data train.safetensors --collateral font --out page.json
} >log.txt 2>&1 || { cat log.txt >&2; exit 1; }
for model in digits ward; do
  cp functional.key page.json authority/public/public.key "models/$model/"
  cp compiled.safetensors "models/$model/network.safetensors"
done
echo 'context = "ward 3 intake"' >models/ward/model.toml

HALFLIGHT=$halflight SHOP=$work/shop CHROMIUM=$chromium node --test "$work/driver/page.test.mjs"
