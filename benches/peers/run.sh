#!/usr/bin/env bash
# Installs the peers below target/peers, once, and compares the router with them. Arguments are those of run.py.
#
# TOOL_ROUTER_DATA: the folder with the labelled sets, used where no --data is given.
# TOOL_ROUTER_BIN: the router program. Default: the release build.
# PYTHON: the interpreter. PEERS_TARGET: where packages go.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
target=${PEERS_TARGET:-$root/target/peers}

case " $* " in
  *" --data "* | *" --data="* | *" --help "* | *" -h "*) data=() ;;
  *)
    if [ -z "${TOOL_ROUTER_DATA:-}" ]; then
      echo "peers: set TOOL_ROUTER_DATA to the folder with the labelled sets (one folder each, with tools.jsonl and queries.jsonl)" >&2
      exit 1
    fi
    data=(--data "$TOOL_ROUTER_DATA")
    ;;
esac

# The stamp is written last: an install that was cut off starts anew.
wanted=$("$python" -c 'import hashlib, pathlib, sys; print(sys.version, hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest())' \
  "$here/requirements.txt")
if [ "$(cat "$target/stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "== packages, into $target" >&2
  rm -rf "$target/packages" "$target/stamp"
  # Without dependencies: the list is complete, and nothing heavy can come in by itself.
  "$python" -m pip --disable-pip-version-check install --quiet --root-user-action ignore --no-warn-conflicts \
    --no-deps --only-binary=:all: --target "$target/packages" --requirement "$here/requirements.txt"
  echo "$wanted" >"$target/stamp"
fi

# Before anything is loaded: no telemetry, and ties that fall the same way in every run.
export ORT_DISABLE_TELEMETRY=1 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$root/clients/python:$target/packages
"$python" -B "$here/test_peers.py" --quiet
exec "$python" -B "$here/run.py" "${data[@]}" "$@"
