#!/usr/bin/env bash
# Installs what the example agent needs, pinned, into a folder: OpenTelemetry and the client's own needs. Needs Python 3 with pip.
set -euo pipefail
target=${1:?"usage: install.sh DIR"}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stamp=$(python3 --version; cat "$here/requirements.txt")
if [ "$(cat "$target/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
rm -rf "$target"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-warn-conflicts --target "$target" \
  --requirement "$here/requirements.txt"
echo "$stamp" >"$target/stamp"
