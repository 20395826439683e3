#!/usr/bin/env bash
# Builds an image from a binary that is there, without any other image and without a daemon: image.sh BINARY [NAME]
#
# Needs buildah; BUILDAH may name it with options. Build the page first (web/build.sh), then the command, static where it shall run on any kernel:
#   deploy/release.sh x86_64-unknown-linux-musl
set -euo pipefail
binary=$1 name=${2:-halflight}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$here/rootfs.sh" "$binary" "$folder"
# In the format of Docker, since that of OCI has no HEALTHCHECK. Its time is that of the sources.
${BUILDAH:-buildah} build --format docker --isolation chroot --timestamp "${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)}" --tag "$name" \
  --file "$here/Containerfile.scratch" "$folder"
