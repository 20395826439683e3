#!/usr/bin/env bash
# Builds the owner's side for browsers into web/dist/: halflight.wasm and halflight.mjs.
#
#   crates/browser/build.sh          builds, then encrypts under node and decrypts on the host
#   crates/browser/build.sh --only   builds
#
# Uses clang, wasm-ld and the wasm32 target of the Rust in PATH where they are there
# (`rustup target add wasm32-unknown-unknown`). Where they are not, and this is a Debian
# with Rust packaged for the web (12 or later, security archive), a compiler is unpacked
# into target/web-toolchain/, 0.5 GB, which needs no privileges and touches nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
triple=wasm32-unknown-unknown
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(realpath "$target")
tools=${HALFLIGHT_WEB_TOOLCHAIN:-$target/web-toolchain}

has_target() { ls "$(rustc --print sysroot)/lib/rustlib/$triple/lib/"libstd-*.rlib >/dev/null 2>&1; }

# The newest packages of one LLVM with the web's Rust, as the archive has them together.
unpack() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  local std llvm
  std=$(apt-cache depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p')
  llvm=$(apt-cache depends "$std" | sed -n 's/.*Depends: libllvm\([0-9]*\)$/\1/p')
  [ -n "$std" ] && [ -n "$llvm" ] || return 1
  rm -rf "$tools" "$tools.part"
  mkdir -p "$tools.part"
  (
    cd "$tools.part"
    apt-get download -q rustc-web "$std" libstd-rust-web-dev rust-web-src "libllvm$llvm" "clang-$llvm" "libclang-cpp$llvm" \
      "libclang-common-$llvm-dev" "llvm-$llvm" "lld-$llvm" || exit 1
    for package in *.deb; do dpkg -x "$package" . || exit 1; done
    # The sources of the standard library are needed, those of the compiler are not.
    rm -rf ./*.deb usr/src/rustc-*/{src,compiler}
    echo "$llvm" >llvm
  ) || return 1
  mv "$tools.part" "$tools"
}

# Whether the unpacked compiler takes this workspace.
new_enough() {
  local needed found
  needed=$(sed -n 's/^rust-version = "1\.\([0-9]*\)".*/\1/p' Cargo.toml)
  found=$(LD_LIBRARY_PATH=$tools/usr/lib/x86_64-linux-gnu "$tools/usr/bin/rustc" --version | sed 's/^rustc 1\.\([0-9]*\).*/\1/')
  [ "${found:-0}" -ge "${needed:-0}" ] || { echo "the unpacked rustc 1.$found is older than 1.$needed" >&2; return 1; }
}

# The page's generator is the only source of randomness.
export RUSTFLAGS='--cfg getrandom_backend="custom" -C link-arg=-zstack-size=1048576'
export CARGO_TARGET_DIR=$target CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
export CARGO_PROFILE_RELEASE_PANIC=abort CARGO_PROFILE_RELEASE_STRIP=true
build() { cargo build --locked --release --lib -p halflight-browser --target $triple "$@"; }

if has_target && command -v clang >/dev/null && command -v llvm-ar >/dev/null; then
  export CC_wasm32_unknown_unknown=clang AR_wasm32_unknown_unknown=llvm-ar
  build
elif { [ -f "$tools/llvm" ] || unpack; } && new_enough; then
  llvm=$(cat "$tools/llvm")
  export RUSTC=$tools/usr/bin/rustc RUSTC_BOOTSTRAP=1 LD_LIBRARY_PATH=$tools/usr/lib/x86_64-linux-gnu
  export CC_wasm32_unknown_unknown=$tools/usr/bin/clang-$llvm AR_wasm32_unknown_unknown=$tools/usr/bin/llvm-ar-$llvm
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$tools/usr/bin/wasm-ld-$llvm
  build -Zbuild-std=std,panic_abort
else
  echo "skipped: no wasm32 target for Rust, or no clang; install both: rustup target add $triple" >&2
  exit 0
fi

mkdir -p web/dist
cp "$target/$triple/release/browser.wasm" web/dist/halflight.wasm.part
mv web/dist/halflight.wasm.part web/dist/halflight.wasm
cp crates/browser/js/halflight.mjs web/dist/
ls -l web/dist/halflight.wasm

if [ "${1:-}" != --only ]; then
  unset RUSTC RUSTFLAGS RUSTC_BOOTSTRAP LD_LIBRARY_PATH
  # The whole workspace, so that nothing is built with other features than elsewhere.
  cargo test --locked --workspace --test page -- --nocapture
fi
