#!/usr/bin/env bash
# Fits the weights file of the published model, or of the model directories named, on labelled splits. Reported figures come from others, see
# accuracy.sh. Not for models of train/, which saw these splits: train/run.sh fits those on requests that it kept aside.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TOOL_ROUTER_DATA:?set it to the folder with the public sets}"
router=${TOOL_ROUTER_BIN:-target/release/tool-router}
models=("$@")
[ ${#models[@]} -gt 0 ] || models=(models/minilm-l6-int8)
config=$(mktemp)
trap 'rm -f "$config"' EXIT
for model in "${models[@]}"; do
  printf '[embedder]\nmodel_dir = "%s"\n' "$(realpath "$model")" > "$config"
  "$router" fit --config "$config" --data "$TOOL_ROUTER_DATA" --set metatool:train --set seal-tools:dev --set livemcpbench:even \
    --out "$model/ranking.json"
done
