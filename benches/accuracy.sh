#!/usr/bin/env bash
# How well selections find the right tools: every set, against plain BM25 and plain cosine, with each step of the ranking left out in turn,
# among distractors, as tools are added, and for requests that need none; what a cap is used for, lists that stay, and conversations. Tables on the screen, files and the page in target/accuracy.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TOOL_ROUTER_DATA:?set it to the folder with the public sets}"
router=${TOOL_ROUTER_BIN:-target/release/tool-router}
out=target/accuracy
mkdir -p "$out"

# Weights were fitted on splits that are in none of these lists (`make weights`).
reported=(livemcpbench:odd azure-mcp mcp-bench bfcl-nonlive restbench metatool:test seal-tools:test_out_domain toolbench-stable
  toolret-apigen toolret-toolink functionchat-ko)
further=(metatool:multi seal-tools:test_in_domain)
among_distractors=(livemcpbench:odd mcp-bench bfcl-nonlive)
packed=(livemcpbench azure-mcp mcp-bench)
conversed=(azure-mcp metatool:test bfcl-nonlive)
none=(metatool:notool bfcl-nonlive:irrelevance functionchat-ko:irrelevance)
rankers=(--ranker router --ranker bm25 --ranker cosine)
distractors=$TOOL_ROUTER_DATA/mcp-pool
queries=(${MAX_QUERIES:+--max-queries "$MAX_QUERIES"})

evaluate() {
  local file=$1; shift
  "$router" eval --data "$TOOL_ROUTER_DATA" "${rankers[@]}" "${queries[@]}" --out "$out/$file.json" "$@"
}
sets() { for set in "$@"; do printf -- '--set %s ' "$set"; done; }
title() { printf '\n%s\n' "$1"; }

# shellcheck disable=SC2046 # one word per flag
{
  title "Every set"
  evaluate reported $(sets "${reported[@]}") $(for n in "${none[@]}"; do printf -- '--none %s ' "$n"; done) --ablations
  title "Further splits"
  evaluate further $(sets "${further[@]}")
  title "Among distractors"
  evaluate distractors $(sets "${among_distractors[@]}") --distractors "$distractors"
  title "As tools are added"
  "$router" eval growth --data "$TOOL_ROUTER_DATA" $(sets "${reported[@]}") --distractors "$distractors" --json > "$out/growth.jsonl"
}
# shellcheck disable=SC2046 # one word per flag
{
  title "What a cap of 1,500 tokens is used for"
  "$router" eval packing --data "$TOOL_ROUTER_DATA" $(sets "${packed[@]}")
  title "Lists that stay from turn to turn"
  "$router" eval continuity --data "$TOOL_ROUTER_DATA" $(sets "${packed[@]}") --sessions 40
  title "Dialogues"
  "$router" eval dialogues --data "$TOOL_ROUTER_DATA" $(sets "${conversed[@]}") --most 100
}
for baseline in bm25 cosine; do
  title "The router against $baseline"
  "$router" eval compare "$out/reported.json" --rankers "$baseline,router"
done
title "The router against cosine among distractors"
"$router" eval compare "$out/distractors.json" --rankers cosine,router
"$router" eval report "$out/reported.json" "$out/distractors.json" --growth "$out/growth.jsonl" --out "$out/report.html"
