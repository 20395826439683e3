#!/usr/bin/env bash
# Builds release archives: release.sh [--out FOLDER] [TARGET | TARGET=BINARY]…
#
# Without a target: x86-64 and AArch64, each linked with glibc 2.28 or newer and static with musl. A target with a binary
# is packed as it is. Each archive has the command, its manual pages and completions, its bill of materials
# (sbom.cdx.json), licences and the units of systemd; SHA256SUMS names all of them. Needs cargo-zigbuild and zig
# (pip install cargo-zigbuild ziglang). Run web/build.sh first, so that the page is in the command.
#
# Pages and completions are the same for all targets. The first binary that this machine runs writes them, or HALFLIGHT.
set -euo pipefail
cd "$(dirname "$0")/.."
out=dist
if [ "${1:-}" = --out ]; then out=$2; shift 2; fi
[ $# -gt 0 ] || set -- {x86_64,aarch64}-unknown-linux-{gnu,musl}
mkdir -p "$out"
out=$(realpath "$out")
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
# The same sources give the same archives.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
[ -f web/dist/index.html ] || echo "the page is not built: the command will say so at its first address" >&2

binaries=()
for asked in "$@"; do
  target=${asked%%=*}
  if [ "$target" != "$asked" ]; then
    binary=${asked#*=}
  else
    # Versions of glibc are named to zig alone.
    linked=$target
    case $target in *-gnu) linked=$target.2.28 ;; esac
    rustup target add "$target"
    cargo zigbuild --release --locked --package halflight --target "$linked"
    binary=${CARGO_TARGET_DIR:-target}/$target/release/halflight
  fi
  binaries+=("$binary")
done

for own in ${HALFLIGHT:+"$HALFLIGHT"} "${binaries[@]}"; do
  if own=$(realpath "$own") && [ "$("$own" --version 2>/dev/null)" = "halflight $version" ]; then break; fi
  own=
done
[ -n "$own" ] || { echo "none of these runs here: name a halflight $version that does in HALFLIGHT" >&2; exit 1; }
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
mkdir -p "$share"/{bash-completion/completions,fish/vendor_completions.d,zsh/site-functions,man/man1}
"$own" completions bash > "$share/bash-completion/completions/halflight"
"$own" completions fish > "$share/fish/vendor_completions.d/halflight.fish"
"$own" completions zsh > "$share/zsh/site-functions/_halflight"
"$own" man --out "$share/man/man1"

for asked in "$@"; do
  target=${asked%%=*} binary=${binaries[0]}
  binaries=("${binaries[@]:1}")
  name=halflight-$version-$target
  folder=$(mktemp -d)
  install -D -m 0755 "$binary" "$folder/$name/halflight"
  [ -z "${STRIP:-}" ] || "$STRIP" "$folder/$name/halflight"
  python3 deploy/bill.py "$target" "$folder/$name"
  install -m 0644 README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT NOTICE "$folder/$name"
  install -D -m 0644 -t "$folder/$name/systemd" deploy/systemd/*.service
  cp -r "$share" "$folder/$name/share"
  chmod -R u=rwX,go=rX "$folder/$name/share"
  tar --create --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w --mtime="@$SOURCE_DATE_EPOCH" \
    --directory "$folder" "$name" | gzip -9n > "$out/$name.tar.gz"
  rm -rf "$folder"
  echo "$out/$name.tar.gz"
done
(cd "$out" && sha256sum halflight-"$version"-*.tar.gz > SHA256SUMS)
