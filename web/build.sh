#!/usr/bin/env bash
# Builds the page into web/dist/, from where the next build of the command embeds it. Needs what crates/browser/build.sh
# needs; where that is missing it says so and leaves no page.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf web/dist
crates/browser/build.sh --only
if [ ! -f web/dist/halflight.wasm ]; then
  rm -rf web/dist
  exit 0
fi
cp web/src/* web/dist/
echo "web/dist: $(du -sh web/dist | cut -f1); embed it with: cargo build --package halflight"
