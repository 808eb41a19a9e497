#!/usr/bin/env bash
# Starts a router on an empty store, registers the bundled catalogue, selects tools for a few requests, and serves on until Ctrl-C.
# With --once it stops after the selections. TOOL_ROUTER_BIN: the router program; default: the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${TOOL_ROUTER_BIN:-${CARGO_TARGET_DIR:-target}/release/tool-router}
grpc=${GRPC_ADDRESS:-127.0.0.1:7431} http=${HTTP_ADDRESS:-127.0.0.1:7432}
folder=$(mktemp -d)

TOOL_ROUTER__LOG__FORMAT=json TOOL_ROUTER__LOG__FILTER=info \
  "$program" serve --store "$folder/router.db" --grpc-address "$grpc" --http-address "$http" 2>"$folder/log" &
router=$!
trap 'kill $router 2>/dev/null || true; wait $router 2>/dev/null || true; rm -rf "$folder"' EXIT
# Its own log, not its port: another router may sit there, and the demo must not write into that one.
until grep -q 'router is ready' "$folder/log"; do
  if ! kill -0 $router 2>/dev/null; then cat "$folder/log" >&2; exit 1; fi
  sleep 0.1
done

echo "registering the bundled catalogue"
"$program" import file examples/catalogue/*.json --address "http://$grpc"
"$program" select --address "http://$grpc" --max-tools 6 --max-tokens 800 \
  "give the customer their money back for order 1182" \
  "what is on my calendar tomorrow, and mail the agenda to Anna" \
  "which services were slow last night?" \
  "open a bug about the login page"

if [ "${1:-}" = "--once" ]; then exit 0; fi
cat <<TEXT

The router is running: gRPC on $grpc, probes and metrics on http://$http. Ctrl-C ends it.
Try, in another terminal:
  $program select "refund the last payment of a customer" --address http://$grpc --explain
  $program tools list --address http://$grpc
TEXT
stopped=no
trap 'stopped=yes' INT
if ! wait $router && [ $stopped = no ]; then
  echo "the router ended by itself:" >&2
  tail -n 3 "$folder/log" >&2
  exit 1
fi
