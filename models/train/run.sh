#!/usr/bin/env bash
# Trains the shipped model from the folder of public sets, and writes its model directory, weights for ranking included. Stopped and
# started again, it goes on.
#
# Usage: run.sh WORK OUT [flags of build_data.py]
#   WORK    folder for packages, weights, corpus, checkpoints and log (about 1 GB)
#   OUT     model directory to write
#   e.g.    run.sh work ../tool-minilm-l6-int8 --data "$TOOL_ROUTER_DATA"
#           run.sh work my-model --catalog tools.jsonl --pairs pairs.jsonl
# Environment: PYTHON (default python3; needs torch 1.13 or newer), STEPS, BATCH, HARD, DISTRACTORS, THREADS (flags of
# train.py), SEED, NAME (of the model), TOOL_ROUTER_BIN.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${1:?usage: run.sh WORK OUT [flags of build_data.py]}
out=${2:?usage: run.sh WORK OUT [flags of build_data.py]}
shift 2
export PYTHON=${PYTHON:-python3} PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
router=${TOOL_ROUTER_BIN:-$root/target/release/tool-router}
seed=${SEED:-1}
say() { printf '%s\n' "$*" >&2; }

[ -x "$router" ] || { say "no router at $router: cargo build --release, or set TOOL_ROUTER_BIN"; exit 1; }
"$PYTHON" -c "import torch" 2>/dev/null || {
    say "$PYTHON has no torch: apt-get install python3-torch libopenblas0-pthread (the latter is a fast BLAS),"
    say "then PYTHON=/usr/bin/python3; or any torch from 1.13 on"
    exit 1
}

say "packages, ONNX Runtime and published weights"
bash "$here/../build/fetch.sh" "$work"
# Here, not an hour later where the router fits weights.
bash "$here/../build/fetch_runtime.sh"
export ORT_DYLIB_PATH=${ORT_DYLIB_PATH:-$root/.runtime/libonnxruntime.so}
if [ ! -f "$work/train-site.done" ]; then
    rm -rf "$work/train-site"
    # Not those of models/build: torch brings the numpy that it was built for.
    "$PYTHON" -m pip install --quiet --require-hashes --no-deps --only-binary=:all: \
        --target "$work/train-site" --requirement "$here/requirements.txt"
    touch "$work/train-site.done"
fi

say "corpus"
# A corpus is made once; what it was made with must be what is asked for now.
made_with="seed $seed: $*"
if [ -f "$work/corpus/made_with" ] && [ "$(cat "$work/corpus/made_with")" != "$made_with" ]; then
    say "$work/corpus was made with $(cat "$work/corpus/made_with"), not $made_with: take another WORK, or remove $work/corpus and $work/run"
    exit 1
fi
if [ ! -f "$work/corpus/made_with" ]; then
    "$PYTHON" "$here/build_data.py" --out "$work/corpus" --seed "$seed" "$@"
    "$router" texts --tools "$work/corpus/tools.jsonl" >"$work/corpus/texts.jsonl"
    printf '%s\n' "$made_with" >"$work/corpus/made_with"
fi

say "training"
PYTHONPATH=$here/../build:$work/train-site "$PYTHON" "$here/train.py" \
    --corpus "$work/corpus" --weights "$work/weights" --out "$work/run" --seed "$seed" \
    ${STEPS:+--steps "$STEPS"} ${BATCH:+--batch "$BATCH"} ${HARD:+--hard "$HARD"} \
    ${DISTRACTORS:+--distractors "$DISTRACTORS"} ${THREADS:+--threads "$THREADS"}

say "model directory"
PYTHONPATH=$here/../build:$work/site "$PYTHON" "$here/export.py" \
    --trained "$work/run/model.safetensors" --weights "$work/weights" --corpus "$work/corpus" \
    --float-graph "$work/float.onnx" --name "${NAME:-$(basename "$out")}" --out "$out"
PYTHONPATH=$here/../build:$work/site "$PYTHON" "$here/../build/check.py" "$out"

say "ranking weights and confidence"
# Those of the model that was there before say nothing of this one.
rm -f "$out/ranking.json"
sets=()
for folder in "$work"/corpus/fitting/*/; do
    [ ! -d "$folder" ] || sets+=(--set "$(basename "$folder")")
done
if [ ${#sets[@]} -eq 0 ]; then
    say "none fitted: that takes twenty labelled requests that training does not see; the built-in ones are used"
else
    printf '[embedder]\nmodel_dir = "%s"\n' "$(cd "$out" && pwd)" >"$work/fit.toml"
    # Also among all tools that it was trained on: most catalogues are larger than the sets.
    "$router" fit --config "$work/fit.toml" --data "$work/corpus/fitting" "${sets[@]}" --distractors "$work/corpus" \
        --out "$out/ranking.json"
fi
