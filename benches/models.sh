#!/usr/bin/env bash
# Whether a model finds tools better than another, the whole pipeline, query by query: what it never saw, the same among more than ten
# thousand tools, what it was trained on the like of, and what is written otherwise (rewritten/). Tables on the screen, results in
# target/models.
#
# Usage: models.sh OLD_MODEL NEW_MODEL     Folders; each is ranked by its own ranking.json (`tool-router fit`). MAX_QUERIES: of a set.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TOOL_ROUTER_DATA:?set it to the folder with the public sets}"
old=$(realpath "${1:?models.sh OLD_MODEL NEW_MODEL}") new=$(realpath "${2:?models.sh OLD_MODEL NEW_MODEL}")
router=${TOOL_ROUTER_BIN:-target/release/tool-router}
out=target/models
mkdir -p "$out"

unseen=(livemcpbench:odd azure-mcp mcp-bench restbench toolret-toolink)
among_distractors=(livemcpbench:odd mcp-bench azure-mcp)
distractors=(mcp-pool toolret-apigen seal-tools)
# Training saw other requests of these, and the tools of all but the last.
in_domain=(metatool:test metatool:multi seal-tools:test_in_domain seal-tools:test_out_domain)
other_languages=(functionchat-ko)
rewritten=(azure-lower azure-typos azure-ko azure-zh)

queries=(${MAX_QUERIES:+--max-queries "$MAX_QUERIES"})

sets() { for set in "$@"; do printf -- '--set %s ' "$set"; done; }
# compare TITLE NAME DATA FLAGS: tables of each model go to files, the comparison to the screen.
compare() {
  local title=$1 name=$2 data=$3 which; shift 3
  for which in old new; do
    printf '[embedder]\nmodel_dir = "%s"\n' "${!which}" > "$out/$which.toml"
    "$router" eval --config "$out/$which.toml" --data "$data" --ranker router --ranker cosine "${queries[@]}" \
      --out "$out/$name.$which.json" "$@" > "$out/$name.$which.txt"
  done
  printf '\n%s\n' "$title"
  "$router" eval compare "$out/$name.old.json" "$out/$name.new.json"
}
python3 benches/rewritten/rewrite.py "$TOOL_ROUTER_DATA" "$out/rewritten"
# shellcheck disable=SC2046 # one word per flag
{
  compare "Never seen" unseen "$TOOL_ROUTER_DATA" $(sets "${unseen[@]}")
  compare "Never seen, among distractors" distractors "$TOOL_ROUTER_DATA" $(sets "${among_distractors[@]}") \
    $(for d in "${distractors[@]}"; do printf -- '--distractors %s ' "$TOOL_ROUTER_DATA/$d"; done)
  compare "In domain" in_domain "$TOOL_ROUTER_DATA" $(sets "${in_domain[@]}")
  compare "Other languages" languages "$TOOL_ROUTER_DATA" $(sets "${other_languages[@]}")
  compare "Lower case, typing slips, Korean, Chinese" rewritten "$out/rewritten" $(sets "${rewritten[@]}")
}
