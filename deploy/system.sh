#!/bin/sh
# Lays the part of Debian that tool-router needs into a folder, for an image with nothing else in it.
#
# The packages are installed ones of the system this runs in, so their versions are Debian's current ones. A shell is there for the
# health check and nothing else; there is no package manager, no interpreter and no set-user-id program to misuse.
#
# Usage: system.sh FOLDER     as root, in a Debian system (the Dockerfile's stage `system`, or deploy/rootfs.sh)
set -eu

folder=${1:?usage: system.sh FOLDER}
# libstdc++6 and libgcc-s1 for ONNX Runtime, gcc-12-base for their licence, dash for /bin/sh, base-files for the folders.
packages="base-files ca-certificates dash gcc-12-base libc6 libgcc-s1 libstdc++6"
# Documents but the licences, and the tables of iconv, which nothing here calls.
left_out='^/usr/share/(man|locale|lintian|doc-base|bug|menu)/|^/usr/share/doc/.*/(changelog|NEWS|README|examples)|/gconv/'

apt-get update
apt-get install --yes --no-install-recommends ca-certificates

# /bin and the like are links to /usr/bin in Debian; the folders behind them have to be there first.
mkdir -p "$folder/usr/bin" "$folder/usr/sbin" "$folder/usr/lib" "$folder/usr/lib64"
for package in $packages; do dpkg-query --listfiles "$package"; done | grep -Ev "$left_out" | sort -u | while read -r path; do
    if [ -e "$path" ] || [ -L "$path" ]; then echo ".$path"; fi
done >/tmp/system.files
tar --create --directory / --no-recursion --files-from /tmp/system.files | tar --extract --directory "$folder"

# What the packages' scripts make rather than ship.
mkdir -p "$folder/etc/ssl/certs"
cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
cat >"$folder/etc/passwd" <<'PASSWD'
root:x:0:0:root:/root:/usr/sbin/nologin
tool-router:x:65532:65532:tool-router:/var/lib/tool-router:/usr/sbin/nologin
PASSWD
cat >"$folder/etc/group" <<'GROUP'
root:x:0:
tool-router:x:65532:
GROUP
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$folder/etc/nsswitch.conf"

# Scanners find installed packages here, where there is no dpkg; it is the place that distroless images use.
mkdir -p "$folder/var/lib/dpkg/status.d"
for package in $packages; do dpkg-query --status "$package" >"$folder/var/lib/dpkg/status.d/$package"; done

# A new volume takes over the owner of the folder it is mounted on.
install -d -o 65532 -g 65532 -m 0750 "$folder/var/lib/tool-router"
