#!/usr/bin/env bash
# Watches secrets under valgrind (x86-64, valgrind 3.15 or newer): every branch and every address that depends on them
# is listed. Fails if one is found that `expected` does not explain, or if a control is not found.
set -euo pipefail
cd "$(dirname "$0")"
command -v valgrind >/dev/null || { echo "install valgrind" >&2; exit 2; }
[ -e Cargo.lock ] || cp ../Cargo.lock Cargo.lock
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
${BUILD_LOCK:+flock "$BUILD_LOCK"} cargo build --release --quiet
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=0
printf '%-9s %8s  %s\n' subject places verdict
for subject in setup issue encrypt fast branch; do
  # Rayon's threads wait in calls that valgrind knows; one is enough.
  RAYON_NUM_THREADS=1 valgrind --quiet --error-limit=no --num-callers=12 --log-file="$logs/$subject" \
    "$CARGO_TARGET_DIR/release/halflight-ctgrind" "$subject"
  # One line for each report: kind, innermost function, the first of ours that called it.
  awk '
    /depends on uninit/ { kind = "branch"; inner = ""; next }
    /Use of uninit/ { kind = "address"; inner = ""; next }
    /(points to|contains) uninit/ { kind = "system"; inner = ""; next }
    kind != "" && /(at|by) 0x/ {
      name = $0
      sub(/^.*0x[0-9A-F]+: /, "", name); sub(/ \(.*/, "", name)
      sub(/::h[0-9a-f]{16}$/, "", name)
      if (inner == "") inner = name
      if (name ~ /qfe::|halflight/) { print kind, inner, name; kind = "" }
    }
  ' "$logs/$subject" | sort | uniq -c >"$logs/$subject.places"
  places=$(wc -l <"$logs/$subject.places")
  case $subject in
    fast | branch)
      verdict="found, as it must be"
      [ "$places" -gt 0 ] || { verdict="NOT FOUND: valgrind does not watch"; failed=1; }
      ;;
    *)
      unexplained=$(awk '{ print $2, $3 }' "$logs/$subject.places" | sort -u |
        grep -vxF -f <(awk '!/^#/ && NF { print $1, $2 }' expected) || true)
      verdict="nothing depends on secrets"
      [ "$places" -eq 0 ] || verdict="only what \`expected\` explains"
      [ -z "$unexplained" ] || { verdict="UNEXPLAINED:"$'\n'"$unexplained"; failed=1; }
      ;;
  esac
  printf '%-9s %8s  %s\n' "$subject" "$places" "$verdict"
  [ -z "${VERBOSE:-}" ] || cat "$logs/$subject.places"
  [ -z "${KEEP:-}" ] || cp "$logs/$subject" "$KEEP/"
done
exit $failed
