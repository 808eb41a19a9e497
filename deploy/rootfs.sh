#!/usr/bin/env bash
# Makes the image's file system without a container engine: Debian's packages by debootstrap, then what the Dockerfile's last stage copies.
#
# The stages are played as they are written: the base image by debootstrap with what debian:*-slim leaves out, stage `system` by its own
# RUN line in a chroot, stage `runtime` by the repository's script, stage `build` by a program that is there already.
#
# Usage: rootfs.sh FOLDER [PROGRAM]     as root; FOLDER must not exist; PROGRAM defaults to target/release/tool-router
# DEBIAN_MIRROR names a mirror; absent: debootstrap's own. The system is kept in target/rootfs-base.tar; remove it for a fresh one.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=dockerfile.sh
. "$top/deploy/dockerfile.sh"
folder=${1:?usage: rootfs.sh FOLDER [PROGRAM]}
program=${2:-${CARGO_TARGET_DIR:-$top/target}/release/tool-router}
cache=$top/target/rootfs-base

fail() {
    echo "rootfs: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail "needs root, for chroot and for files that belong to other users"
[ -x "$program" ] || fail "there is no program at $program; build it with cargo build --release, or name another"
[ ! -e "$folder" ] || fail "$folder exists; name a new folder"

scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
mkdir -p "$top/target" "$scratch/stages"

# The chroot of stage `system`, with its result in it.
make_system() {
    local base=$1 suite copies runs
    suite=$(sed -n 's/^ARG DEBIAN=//p' "$dockerfile")
    command -v debootstrap >/dev/null || fail "debootstrap is missing (Debian, Ubuntu: apt-get install debootstrap)"
    echo "rootfs: debootstrap of $suite"
    debootstrap --variant=minbase "$suite" "$base" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$scratch/log" 2>&1 \
        || { tail -n 5 "$scratch/log" >&2; fail "debootstrap of $suite failed, its last words are above"; }
    find "$base/usr/share/doc" -type f ! -name copyright -delete
    rm -rf "$base"/usr/share/{man,info,locale,lintian} "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/*
    # An engine lends a container the names of its host as well.
    cp -L /etc/resolv.conf /etc/hosts "$base/etc/"

    copies=$(instructions system COPY)
    runs=$(instructions system RUN)
    [ "$copies" = "deploy/system.sh /" ] || fail "stage system copies \"$copies\", which this script cannot play"
    cp "$top/deploy/system.sh" "$base/"
    echo "rootfs: in the chroot: $runs"
    chroot "$base" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
        sh -ec "$runs" >"$scratch/log" 2>&1 || { tail -n 5 "$scratch/log" >&2; fail "\"$runs\" failed, its last words are above"; }
}

# Kept as long as what it is made from stays the same.
made_from=$(cat "$dockerfile" "$top/deploy/system.sh" | sha256sum | cut -d' ' -f1)
if [ -f "$cache.tar" ] && [ "$(cat "$cache.key" 2>/dev/null)" = "$made_from" ]; then
    echo "rootfs: the system is that of $cache.tar"
    mkdir "$scratch/stages/system"
    tar --extract --file "$cache.tar" --directory "$scratch/stages/system"
else
    rm -f "$cache.key"
    make_system "$scratch/stages/system"
    tar --create --file "$cache.tar" --directory "$scratch/stages/system" .
    echo "$made_from" >"$cache.key"
fi

bash "$top/models/build/fetch_runtime.sh" "$top/.runtime"
mkdir "$scratch/stages/runtime"
ln -s "$top/.runtime" "$scratch/stages/runtime/runtime"

mkdir -p "$scratch/stages/build/out"
instructions build RUN | grep -q 'strip --strip-debug -o /out/tool-router' || fail "stage build does not strip as this script does"
strip --strip-debug -o "$scratch/stages/build/out/tool-router" "$program"

# Everything that the last stage may say; a RUN, say, would need more than copying.
unknown=$(instructions final | grep -Ev '^(ARG|LABEL|COPY|ENV|USER|VOLUME|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD) ' || true)
[ -z "$unknown" ] || fail "the last stage says \"$unknown\", which this script cannot play"

mkdir -p "$folder"
while read -r -a part; do
    from=$top
    case ${part[0]} in
        --from=*) from=$scratch/stages/${part[0]#--from=}; part=("${part[@]:1}") ;;
        --*) fail "COPY with ${part[0]}, which this script cannot play" ;;
    esac
    to=$folder${part[-1]}
    unset 'part[-1]'
    mkdir -p "$to"
    # As an engine does: files of the checkout become root's, those of another stage keep their owner.
    keep=mode
    if [ "$from" = "$scratch/stages/system" ]; then keep=mode,ownership; fi
    for path in "${part[@]}"; do
        # A folder stands for what is in it.
        if [ -d "$from/$path" ]; then path=$path/.; fi
        cp -R --no-dereference --preserve="$keep" "$from/$path" "$to"
    done
done < <(instructions final COPY)
