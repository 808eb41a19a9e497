#!/usr/bin/env bash
# Runs a command in a folder as an engine runs a container with
#   --read-only --cap-drop=ALL --security-opt=no-new-privileges --ulimit ... --network=none --user=65532:65532
# by the same means of the kernel: namespaces (mount, pid, ipc, uts, network, cgroup), read-only mounts, an empty bounding set.
# What it has not: a seccomp profile, masked files in /proc, and pivot_root (chroot in a mount namespace of its own instead).
#
# Usage: sandbox.sh run ROOT VOLUME SECRETS [NAME=VALUE...] COMMAND...    the command is process 1
#        sandbox.sh exec PID ROOT [NAME=VALUE...] COMMAND...              one more beside process 1, whose pid outside is PID
# ROOT is read only, VOLUME is written to, SECRETS is /run/secrets. NAME=VALUE: the command's whole environment.
set -euo pipefail

# By its full path: entering a mount namespace leaves the working folder behind.
self=$(realpath "$0")
user=65532
volume_at=/var/lib/tool-router

# The mounts that every container has, and nothing that can be written except the volume, /dev/shm and devices.
mount_all() {
    local root=$1 volume=$2 secrets=$3 quiet=nosuid,nodev,noexec device
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount -t proc -o $quiet proc "$root/proc"
    mount -t sysfs -o ro,$quiet sysfs "$root/sys"
    mount -t tmpfs -o nosuid,noexec,mode=755,size=64k tmpfs "$root/dev"
    for device in null zero full random urandom; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    mkdir "$root/dev/shm"
    mount -t tmpfs -o $quiet,mode=1777,size=64m tmpfs "$root/dev/shm"
    mount --bind "$volume" "$root$volume_at"
    mount -o remount,bind,$quiet "$root$volume_at"
    mount -t tmpfs -o $quiet,mode=755,size=64k tmpfs "$root/run"
    mkdir "$root/run/secrets"
    mount --bind "$secrets" "$root/run/secrets"
    mount -o remount,bind,ro,$quiet "$root/run/secrets"
    mount -o remount,bind,ro,$quiet "$root/run"
    # The mounts above keep their own rights: this covers the root alone.
    mount -o remount,bind,ro,nosuid,nodev "$root"
}

# Gives up every right for good, then becomes the command; the shell between finds it by the PATH inside and is replaced by it.
become() {
    local root=$1 environment=()
    shift
    while [[ $1 == *=* ]]; do environment+=("$1"); shift; done
    exec env --ignore-environment "${environment[@]}" "$(command -v capsh)" --quiet --chroot="$root" \
        --inh= --noamb --drop=all --no-new-privs --groups=$user --gid=$user --uid=$user \
        --shell=/bin/sh -- -c 'cd / && exec "$@"' sh "$@"
}

case ${1:-} in
    run)
        shift
        exec unshare --mount --pid --ipc --uts --net --cgroup --fork -- bash "$self" inside "$@"
        ;;
    inside)
        mount_all "$2" "$3" "$4"
        hostname tool-router
        ip link set lo up
        become "$2" "${@:5}"
        ;;
    exec)
        shift
        exec nsenter --target "$1" --mount --pid --ipc --uts --net --cgroup -- bash "$self" beside "${@:2}"
        ;;
    beside)
        become "$2" "${@:3}"
        ;;
    *)
        echo "sandbox: say run or exec; the head of this script tells how" >&2
        exit 2
        ;;
esac
