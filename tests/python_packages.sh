#!/usr/bin/env bash
# Installs what a file of pinned requirements names into a folder, unless it is there. Needs Python 3 with pip.
set -euo pipefail
requirements=${1:?"usage: python_packages.sh REQUIREMENTS DIR"} target=${2:?"usage: python_packages.sh REQUIREMENTS DIR"}
stamp=$(python3 --version; cat "$requirements")
if [ "$(cat "$target/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
rm -rf "$target"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-warn-conflicts --target "$target" \
  --requirement "$requirements"
echo "$stamp" >"$target/stamp"
