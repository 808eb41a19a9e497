#!/usr/bin/env bash
# Puts the pinned ONNX Runtime library where the router looks first: .runtime/libonnxruntime.so.
#
# Why from a Python wheel: it is the one build of the library that a package registry carries for both processors, with
# a hash to pin, and pip is on every machine that has Python. Nothing is installed: the wheel is downloaded, checked,
# and the one file taken out. The wheel's Python version is fixed, so the local one does not matter.
#
# Usage: fetch_runtime.sh [DIRECTORY]     (default: .runtime at the top of the repository)
# A second run checks the file's hash and stops.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${1:-$here/../../.runtime}
pins=$here/runtime-requirements.txt

fail() {
    echo "fetch_runtime: $*" >&2
    exit 1
}

version=$(sed -n 's/^onnxruntime==\([0-9][0-9.]*\).*/\1/p' "$pins")
[ -n "$version" ] || fail "no onnxruntime version in models/build/runtime-requirements.txt"

system=$(uname -s)
machine=$(uname -m)
[ "$machine" = arm64 ] && machine=aarch64
case "$system $machine" in
    "Linux x86_64" | "Linux aarch64") ;;
    *) fail "no pinned library for $system $machine; install ONNX Runtime 1.24 or newer and set ORT_DYLIB_PATH" ;;
esac
# musl's loader cannot use the library; saying so here beats an unresolved symbol at start.
getconf GNU_LIBC_VERSION >/dev/null 2>&1 \
    || fail "the pinned library needs glibc 2.28 or newer; build ONNX Runtime for this system and set ORT_DYLIB_PATH"

# What VERSION says after a complete run. It is written last, so an interrupted run is simply done again.
describe() {
    printf '%s\nlinux %s\nsha256 %s\n' "$version" "$machine" "$(sha256sum <"$1" | cut -d' ' -f1)"
}

library=$target/libonnxruntime.so
if [ -f "$library" ] && [ -f "$target/VERSION" ] && [ "$(describe "$library")" = "$(cat "$target/VERSION")" ]; then
    echo "ONNX Runtime $version ($machine) is already in place."
    exit 0
fi

command -v python3 >/dev/null \
    || fail "python3 is needed to fetch ONNX Runtime (Debian, Ubuntu: apt-get install python3-pip)"
python3 -m pip --version >/dev/null 2>&1 \
    || fail "python3 has no pip (Debian, Ubuntu: apt-get install python3-pip)"

mkdir -p "$target" || fail "cannot create $target"
# Beside the result, so that the final mv is a rename on one file system.
scratch=$(mktemp -d "$target/fetch.XXXXXX") || fail "cannot write to $target"
trap 'rm -rf "$scratch"' EXIT

if ! python3 -m pip download --quiet --disable-pip-version-check --no-input \
    --require-hashes --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.12 --abi cp312 --platform "manylinux_2_28_$machine" \
    --requirement "$pins" --dest "$scratch" >"$scratch/log" 2>&1; then
    if grep -q 'DO NOT MATCH THE HASHES' "$scratch/log"; then
        fail "the downloaded onnxruntime $version does not have the pinned hash; nothing was installed"
    fi
    fail "pip could not download onnxruntime $version: $(grep '^ERROR' "$scratch/log" | tail -n 1 || true)"
fi

python3 - "$scratch" "$version" <<'PYTHON' || fail "the onnxruntime $version wheel does not hold the expected files"
import pathlib, shutil, sys, zipfile

scratch, version = pathlib.Path(sys.argv[1]), sys.argv[2]
(wheel,) = scratch.glob("onnxruntime-*.whl")
wanted = {
    f"onnxruntime/capi/libonnxruntime.so.{version}": "libonnxruntime.so",
    # MIT: the text has to travel with the library, for instance into a container image.
    "onnxruntime/LICENSE": "LICENSE",
    "onnxruntime/ThirdPartyNotices.txt": "ThirdPartyNotices.txt",
}
with zipfile.ZipFile(wheel) as archive:
    for member, name in wanted.items():
        with archive.open(member) as source, open(scratch / name, "wb") as out:
            shutil.copyfileobj(source, out)
PYTHON

describe "$scratch/libonnxruntime.so" >"$scratch/VERSION"
for file in LICENSE ThirdPartyNotices.txt libonnxruntime.so VERSION; do
    mv -f "$scratch/$file" "$target/$file" || fail "cannot write $target/$file"
done
echo "ONNX Runtime $version ($machine) is now in $(basename "$target")/libonnxruntime.so."
