#!/usr/bin/env bash
# Fits the weights file of the shipped model. Reported figures come from other splits, see accuracy.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TOOL_ROUTER_DATA:?set it to the folder with the public sets}"
router=${TOOL_ROUTER_BIN:-target/release/tool-router}
"$router" fit --data "$TOOL_ROUTER_DATA" --set metatool:train --set seal-tools:dev --set livemcpbench:even \
  --out models/minilm-l6-int8/ranking.json
