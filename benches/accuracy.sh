#!/usr/bin/env bash
# How well selections find the right tools: sets that the shipped model never saw, and apart from them those it was trained on the like of,
# against plain BM25 and plain cosine, with each step of the ranking left out in turn, among distractors, as tools are added, and for requests
# that need none; what a cap is used for, lists that stay, and conversations. Tables on the screen, files and the page in target/accuracy.
#
# Usage: accuracy.sh [MODEL]     a model directory, ranked by its own ranking.json; the shipped one unless named. MAX_QUERIES: of a set.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TOOL_ROUTER_DATA:?set it to the folder with the public sets}"
router=${TOOL_ROUTER_BIN:-target/release/tool-router}
out=target/accuracy
mkdir -p "$out"
config=$out/config.toml
if [ $# -gt 0 ]; then printf '[embedder]\nmodel_dir = "%s"\n' "$(realpath "$1")"; fi > "$config"

# No text of these was trained on; weights were fitted on the other half of livemcpbench, and on none of the rest.
unseen=(livemcpbench:odd azure-mcp mcp-bench restbench toolret-toolink functionchat-ko)
# Training saw other requests of these, and the tools of all but the last. Sets whose very requests it saw are left out.
in_domain=(metatool:test metatool:multi seal-tools:test_in_domain seal-tools:test_out_domain)
among_distractors=(livemcpbench:odd mcp-bench azure-mcp)
packed=(livemcpbench azure-mcp mcp-bench)
conversed=(azure-mcp metatool:test seal-tools:test_out_domain)
rankers=(--ranker router --ranker bm25 --ranker cosine)
distractors=$TOOL_ROUTER_DATA/mcp-pool
queries=(${MAX_QUERIES:+--max-queries "$MAX_QUERIES"})

evaluate() {
  local file=$1; shift
  "$router" eval --config "$config" --data "$TOOL_ROUTER_DATA" "${rankers[@]}" "${queries[@]}" --out "$out/$file.json" "$@"
}
sets() { for set in "$@"; do printf -- '--set %s ' "$set"; done; }
title() { printf '\n%s\n' "$1"; }

# shellcheck disable=SC2046 # one word per flag
{
  title "Never seen"
  evaluate unseen $(sets "${unseen[@]}") --none functionchat-ko:irrelevance --ablations
  title "In domain"
  evaluate in_domain $(sets "${in_domain[@]}") --none metatool:notool --ablations
  title "Among distractors"
  evaluate distractors $(sets "${among_distractors[@]}") --distractors "$distractors"
  title "As tools are added"
  "$router" eval growth --config "$config" --data "$TOOL_ROUTER_DATA" $(sets "${unseen[@]}") --distractors "$distractors" --json > "$out/growth.jsonl"
}
# shellcheck disable=SC2046 # one word per flag
{
  title "What a cap of 1,500 tokens is used for"
  "$router" eval packing --config "$config" --data "$TOOL_ROUTER_DATA" $(sets "${packed[@]}")
  title "Lists that stay from turn to turn"
  "$router" eval continuity --config "$config" --data "$TOOL_ROUTER_DATA" $(sets "${packed[@]}") --sessions 40
  title "Dialogues"
  "$router" eval dialogues --config "$config" --data "$TOOL_ROUTER_DATA" $(sets "${conversed[@]}") --most 100
}
for file in unseen in_domain; do
  for baseline in bm25 cosine; do
    title "The router against $baseline, $file"
    "$router" eval compare "$out/$file.json" --rankers "$baseline,router"
  done
done
title "The router against cosine among distractors"
"$router" eval compare "$out/distractors.json" --rankers cosine,router
"$router" eval report "$out/unseen.json" "$out/in_domain.json" "$out/distractors.json" --growth "$out/growth.jsonl" --out "$out/report.html"
