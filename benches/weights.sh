#!/usr/bin/env bash
# Fits the weights file of each shipped model, or of the model directories named. Reported figures come from other splits, see accuracy.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TOOL_ROUTER_DATA:?set it to the folder with the public sets}"
router=${TOOL_ROUTER_BIN:-target/release/tool-router}
models=("$@")
[ ${#models[@]} -gt 0 ] || models=(models/*-int8)
config=$(mktemp)
trap 'rm -f "$config"' EXIT
for model in "${models[@]}"; do
  printf '[embedder]\nmodel_dir = "%s"\n' "$(realpath "$model")" > "$config"
  "$router" fit --config "$config" --data "$TOOL_ROUTER_DATA" --set metatool:train --set seal-tools:dev --set livemcpbench:even \
    --out "$model/ranking.json"
done
