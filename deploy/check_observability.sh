#!/usr/bin/env bash
# Has Prometheus and Alertmanager, Debian's, take the files that are for them, and lets them watch a router at work: every expression of
# every dashboard and rule has to return something, and an alert has to arrive where it is meant to.
#
# The stage is its own: a router with a temporary store and the bundled catalogue, Prometheus, Alertmanager, and what stands for Slack and
# PagerDuty; all on free ports of loopback and below one temporary folder. It takes about three minutes, half of it the rules' own tests.
#
# Usage: check_observability.sh PROGRAM     needs prometheus, prometheus-alertmanager and curl, and Python 3.11 with pip; the network is
#                                           used once, for what the Python client needs
# PYTHON: the interpreter. SECONDS_OF_TRAFFIC: for how long calls are made, 40 unless set. EMBEDDER=hashing: for a program without a model
# runtime. Pages with the dashboards are left in target/observability.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
[ $# = 1 ] || { echo "usage: $(basename "$0") PROGRAM" >&2; exit 64; }
program=$(realpath "$1")
cd "$root" # where the model and its runtime are looked for
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-$root/target}/observability
traffic_seconds=${SECONDS_OF_TRAFFIC:-40}
embedder=${EMBEDDER:-onnx}
# Debian calls it so because another program has its name.
alertmanager=$(command -v prometheus-alertmanager || command -v alertmanager || true)

work=$(mktemp -d)
said=$work/said # what was printed last
: >"$said"
started=()

step() { printf '\n== %s (after %s s)\n' "$*" $SECONDS; }
proved() { echo "  ok: $*"; }
fail() {
    echo "check_observability: $*" >&2
    if [ -s "$said" ]; then tail -n 20 "$said" | cut -c 1-400 >&2; fi
    exit 1
}
clean_up() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" && wait "$pid"; done
    rm -rf "$work"
} >/dev/null 2>&1
trap 'set +e; clean_up' EXIT
trap 'exit 130' INT TERM

# within SECONDS COMMAND...: again and again until it succeeds.
within() {
    local until=$(($(date +%s%3N) + 1000 * $1))
    until "${@:2}"; do
        [ "$(date +%s%3N)" -lt $until ] || return 1
        sleep 0.2
    done
}

# start NAME COMMAND...: its output goes to a file of its own.
start() {
    "${@:2}" >"$work/$1.log" 2>&1 </dev/null &
    started+=($!)
}
still_runs() { kill -0 "${started[-1]}" 2>/dev/null || { tail -n 5 "$work/$1.log" >"$said" && fail "$1 has ended"; }; }

[ -x "$program" ] || fail "there is no program $program"
for needed in prometheus promtool amtool curl; do
    command -v $needed >/dev/null || fail "needs $needed (Debian: apt-get install prometheus prometheus-alertmanager curl)"
done
[ -n "$alertmanager" ] || fail "needs Alertmanager (Debian: apt-get install prometheus-alertmanager)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || fail "$python is no Python 3.11 or newer; set PYTHON"
export PYTHONDONTWRITEBYTECODE=1

# ---------------------------------------------------------------------------------------------------------------------------------------
step "files"

# taken WHAT COMMAND...
taken() {
    "${@:2}" >"$said" 2>&1 || fail "$1"
    proved "$1"
}
taken "prometheus.yaml and rules.yaml are valid" promtool check config "$here/prometheus/prometheus.yaml"
taken "rules fire and are quiet as their tests say" promtool test rules "$here/prometheus/rules_test.yaml"
taken "alertmanager.yaml is valid" amtool check-config "$here/alertmanager.yaml"
for severity in page ticket; do
    reached=$(amtool config routes test --config.file "$here/alertmanager.yaml" job=tool-router severity=$severity 2>"$said") \
        || fail "amtool knows no route for $severity"
    [ "$reached" = $severity ] || fail "an alert of severity $severity reaches $reached"
done
proved "pages and tickets reach their receivers"
(cd "$here/observability" && taken "the reader of expressions does as its tests say" "$python" -m unittest)

# ---------------------------------------------------------------------------------------------------------------------------------------
step "a router"

ports=$("$python" - <<'TEXT'
import socket

held = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(one.getsockname()[1] for one in held))
TEXT
)
read -r grpc http prometheus_port alertmanager_port <<<"$ports"

mkdir "$work/store" "$work/messages"
# Two sources: one that can be read, which is the program's own MCP server, and one that fails. A collector that is away.
cat >"$work/router.toml" <<TEXT
[server]
grpc_address = "127.0.0.1:$grpc"
http_address = "127.0.0.1:$http"
[store]
path = "$work/store/router.db"
[embedder]
kind = "$embedder"
workers = 1
[log]
format = "json"
[telemetry]
slow_ms = 5
[telemetry.otlp]
endpoint = "http://127.0.0.1:9"
[[sources]]
name = "own"
command = ["$program", "mcp", "--address", "http://127.0.0.1:$grpc"]
interval_s = 5
[[sources]]
name = "broken"
command = ["false"]
interval_s = 5
TEXT
start router "$program" serve --config "$work/router.toml"
ready() { curl --silent --fail --output /dev/null "http://127.0.0.1:$http/readyz"; }
ready_or_gone() { ready || { still_runs router && false; }; }
within 60 ready_or_gone || { cp "$work/router.log" "$said" && fail "the router does not get ready"; }
"$program" import file "$root"/examples/catalogue/*.json --address "http://127.0.0.1:$grpc" >"$said" 2>&1 \
    || fail "the router does not take the catalogue"
proved "$("$program" --version) with the bundled catalogue"

# What ships, with this stage's addresses, and a second where it says more.
sed -e "s/\"router-a:7432\", \"router-b:7432\"/\"127.0.0.1:$http\"/" -e "s/\"alertmanager:9093\"/\"127.0.0.1:$alertmanager_port\"/" \
    -e 's/\(scrape_interval\|scrape_timeout\|evaluation_interval\): .*/\1: 1s/' -e "s|rules.yaml\]|$here/prometheus/rules.yaml]|" \
    "$here/prometheus/prometheus.yaml" >"$work/prometheus.yaml"
start prometheus prometheus --config.file "$work/prometheus.yaml" --storage.tsdb.path "$work/prometheus" \
    --web.listen-address "127.0.0.1:$prometheus_port" --enable-feature=exemplar-storage --log.level=warn
prometheus=http://127.0.0.1:$prometheus_port
scrapes() {
    curl --silent --get "$prometheus/api/v1/query" --data-urlencode 'query=up{job="tool-router"} == 1' | grep -q '"value"' \
        || { still_runs prometheus && false; }
}
within 30 scrapes || { cp "$work/prometheus.log" "$said" && fail "Prometheus does not reach the router"; }
proved "$(prometheus --version 2>&1 | head -n 1 | cut -d' ' -f1-3) scrapes it every second"

# ---------------------------------------------------------------------------------------------------------------------------------------
step "traffic"

packages=$target/packages
# The client's dependencies, once. The stamp is written last: an install that was cut off starts anew.
"$python" -c 'import sys, tomllib; print(*tomllib.load(sys.stdin.buffer)["project"]["dependencies"], sep="\n")' \
    <"$root/clients/python/pyproject.toml" >"$work/requirements.txt"
wanted=$("$python" --version; cat "$work/requirements.txt")
if [ "$(cat "$packages/stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$packages"
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-warn-conflicts --target "$packages" \
        --requirement "$work/requirements.txt" >"$said" 2>&1 || fail "pip could not install what clients/python needs"
    echo "$wanted" >"$packages/stamp"
fi
export PYTHONPATH=$root/clients/python:$packages
"$python" "$root/examples/agent/traffic.py" --address "127.0.0.1:$grpc" --seconds "$traffic_seconds" >"$said" 2>&1 \
    || fail "traffic.py ended with $?"
proved "$(tail -n 1 "$said" | cut -c 1-300)"
"$python" "$here/observability/watchers.py" "127.0.0.1:$grpc" >"$said" 2>&1 || fail "no watcher was turned away"
proved "$(cat "$said")"
# For the rates: what came with the last second of traffic has to be seen twice.
sleep 3

# ---------------------------------------------------------------------------------------------------------------------------------------
step "figures"

curl --silent --fail "http://127.0.0.1:$http/metrics" >"$work/metrics" || fail "the router has no /metrics"
families=$(grep -c '^# TYPE' "$work/metrics")
taken "promtool has nothing to say against /metrics: $families families" promtool check metrics <"$work/metrics"
curl --silent --get "$prometheus/api/v1/query_exemplars" --data-urlencode 'query=rpc_server_call_duration_seconds_bucket' \
    --data "start=$(($(date +%s) - 300))" --data "end=$(date +%s)" >"$said"
grep -q '"trace_id"' "$said" || fail "durations have no exemplars"
proved "durations lead to traces: $(grep -o '"trace_id":"[0-9a-f]*"' "$said" | sort -u | wc -l) exemplars"
without=()
[ "$embedder" != hashing ] || without=(--without toolrouter_select_confidence_ratio "without a model there is no confidence")
"$python" "$here/observability/expressions.py" "$prometheus" "${without[@]}" >"$said" 2>&1 || {
    sed -i '/left out:/d' "$said"
    fail "an expression returns nothing"
}
sed 's/^/  /' "$said"
mkdir -p "$target"
for dashboard in "$here"/grafana/*.json; do
    page=$target/$(basename "$dashboard" .json).html
    "$python" "$here/observability/render.py" "$prometheus" "$page" --dashboard "$dashboard" --since $((traffic_seconds + 30)) \
        >"$said" 2>&1 || fail "$(basename "$dashboard") cannot be drawn"
    echo "  $(cat "$said")"
done

# ---------------------------------------------------------------------------------------------------------------------------------------
step "alerts"

start sink "$python" "$here/observability/sink.py" "$work/messages"
within 10 test -s "$work/sink.log" || fail "nothing stands for Slack"
sink=$(head -n 1 "$work/sink.log")
echo "$sink/slack" >"$work/slack_url"
echo "0123456789abcdef0123456789abcdef" >"$work/pagerduty_key"
# What ships, with this stage's secrets, and without its patience.
sed -e "s|/run/secrets/|$work/|" -e "s|\( *\)- routing_key_file|\1- url: $sink/pagerduty\n\1  routing_key_file|" \
    -e 's/group_wait: .*/group_wait: 1s/; s/group_interval: .*/group_interval: 1s/' "$here/alertmanager.yaml" >"$work/alertmanager.yaml"
start alertmanager "$alertmanager" --config.file "$work/alertmanager.yaml" --storage.path "$work/alertmanager" \
    --web.listen-address "127.0.0.1:$alertmanager_port" --cluster.listen-address= --log.level=warn
# The router is stopped, and nothing else said: Prometheus has to notice, and its alert to get through.
kill "${started[0]}"
told() { grep -lq "No router of tool-router answers" "$work/messages"/"$1"-*.json 2>/dev/null; }
for receiver in slack pagerduty; do
    within 120 told $receiver || {
        cat "$work/alertmanager.log" "$work/messages"/* >"$said" 2>/dev/null || true
        fail "ToolRouterDown does not reach $receiver"
    }
    grep -q "RUNBOOK.md#toolrouterdown" "$work/messages/$receiver"-*.json || fail "what reaches $receiver does not lead to the runbook"
done
proved "a router that stops is told to Slack and PagerDuty, with the way to the runbook"

printf '\ncheck_observability: passed in %s s; the dashboards are drawn in %s\n' $SECONDS "$target"
