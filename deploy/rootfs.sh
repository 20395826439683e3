#!/usr/bin/env bash
# Makes the folder that a container needs and nothing else: rootfs.sh BINARY FOLDER
#
# FOLDER/root has the command, the libraries that it is linked with (none where it is static), its bill of materials and
# licences: no shell, no package manager, no other program. FOLDER/data becomes /data of user 10001.
set -euo pipefail
binary=$(realpath "$1") folder=$2/root
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$2/root" "$2/data"
install -d -m 0755 "$folder"/{usr/local/bin,usr/share/doc/halflight,etc}
install -m 0755 "$binary" "$folder/usr/local/bin/halflight"
[ -z "${STRIP:-}" ] || "$STRIP" "$folder/usr/local/bin/halflight"
libraries=$(ldd "$binary" 2>/dev/null | grep -o '/[^ ]*' || true)
for library in $libraries; do
  install -D -m 0755 "$library" "$folder$library"
done
# Certificates of the web, for collectors and other servers outside.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
  install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
fi
echo 'halflight:x:10001:10001::/data:/usr/sbin/nologin' > "$folder/etc/passwd"
echo 'halflight:x:10001:' > "$folder/etc/group"
machine=$(uname -m)
python3 "$here/bill.py" "${TARGET:-$machine-unknown-linux-$([ -n "$libraries" ] && echo gnu || echo musl)}" "$folder/usr/share/doc/halflight"
install -m 0644 "$here"/../LICENSE-* "$here/../NOTICE" "$folder/usr/share/doc/halflight"
install -d -m 1777 "$folder/tmp"
install -d -m 0700 "$2/data"
