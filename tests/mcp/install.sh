#!/usr/bin/env bash
# Installs the real MCP servers that tests use, pinned, into a folder: DIR/npm and DIR/python. Needs npm, and Python 3 with pip.
set -euo pipefail
target=${1:?"usage: install.sh DIR"}
npm_packages=(
  @modelcontextprotocol/server-everything@2026.8.31
  @modelcontextprotocol/server-filesystem@2026.8.31
  @modelcontextprotocol/server-memory@2026.8.31
  @modelcontextprotocol/inspector@0.15.0
)
python_packages=(mcp-server-git==2026.10.19 mcp-server-time==2026.10.19)
stamp="${npm_packages[*]} ${python_packages[*]}"
if [ "$(cat "$target/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
rm -rf "$target"
mkdir -p "$target/npm"
npm install --prefix "$target/npm" --no-audit --no-fund --loglevel=error "${npm_packages[@]}" >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-warn-conflicts --target "$target/python" "${python_packages[@]}"
echo "$stamp" >"$target/stamp"
