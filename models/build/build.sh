#!/usr/bin/env bash
# Makes models/minilm-l6-int8 from the published weights, then verifies it. Nothing is installed outside WORK.
#
# Usage: build.sh WORK [OUT]     WORK: folder for tools, weights and the float graph (about 600 MB)
#                                OUT:  model directory to write (default: models/minilm-l6-int8)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${1:?usage: build.sh WORK [OUT]}
out=${2:-$here/../minilm-l6-int8}

bash "$here/fetch.sh" "$work"
export PYTHONPATH=$work/site PYTHONDONTWRITEBYTECODE=1
python3 "$here/build.py" --weights "$work/weights" --out "$out" --float-graph "$work/float.onnx"
python3 "$here/check.py" "$out"
