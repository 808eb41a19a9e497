#!/usr/bin/env bash
# Everything that must hold for the Python client and for examples/agent: generated modules, style, types, tests. Installs what it needs
# below target/python/client, once.
#
# TOOL_ROUTER_BIN: the router program to test against. Default: the release build, else the debug build.
# PYTHON: the interpreter. PYTHON_TARGET: where packages go.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
target=${PYTHON_TARGET:-$root/target/python/client}
pip() { "$python" -m pip --disable-pip-version-check install --quiet --root-user-action ignore --no-warn-conflicts "$@"; }

if [ -z "${TOOL_ROUTER_BIN:-}" ]; then
  for built in "$root/target/release/tool-router" "$root/target/debug/tool-router"; do
    if [ -x "$built" ]; then TOOL_ROUTER_BIN=$built && break; fi
  done
fi
if [ -z "${TOOL_ROUTER_BIN:-}" ]; then
  echo "check.sh: no router program to test against: cargo build, or set TOOL_ROUTER_BIN" >&2
  exit 1
fi
export TOOL_ROUTER_BIN

# The stamp is written last: an install that was cut off starts anew.
wanted=$("$python" -c 'import hashlib, pathlib, sys; print(sys.version, hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest())' \
  "$here/requirements-dev.txt")
if [ "$(cat "$target/stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "== packages, into $target"
  rm -rf "$target"
  pip --target "$target/packages" --requirement "$here/requirements-dev.txt"
  echo "$wanted" >"$target/stamp"
fi

echo "== the package itself"
rm -rf "$target/client"
PYTHONPATH=$target/packages pip --target "$target/client" --no-deps --no-index --no-build-isolation "$here"

export PYTHONPATH=$target/client:$target/packages PYTHONDONTWRITEBYTECODE=1
echo "== generated modules"
"$python" "$here/generate.py" --check

echo "== style"
ruff() { (cd "$here" && "$python" -m ruff "$@" --no-cache --quiet --config pyproject.toml . "$root/examples/agent"); }
ruff check
ruff format --check

echo "== types"
(cd "$here" && PYTHONPATH=$target/packages "$python" -m mypy --cache-dir "$target/mypy")

echo "== tests, against $TOOL_ROUTER_BIN"
# From the root, so that the installed package is tested and not the folder beside the tests.
cd "$root" && "$python" -m pytest -c "$here/pyproject.toml" -o cache_dir="$target/pytest" "$here/tests" "$root/examples/agent/tests" "$@"
