#!/usr/bin/env bash
# Checks the container without a container engine: its size, and that the program works in it with every right taken away.
#
# The file system is the Dockerfile's (rootfs.sh), the confinement is the kernel's own (sandbox.sh), the limits are those of
# compose.single.yaml.
# check_engine.sh does the same with Docker, where there is one.
#
# Usage: check.sh [PROGRAM]     as root, on Linux; PROGRAM defaults to target/release/tool-router
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
# shellcheck source-path=SCRIPTDIR source=dockerfile.sh
. "$here/dockerfile.sh"
program=$(realpath --canonicalize-missing "${1:-${CARGO_TARGET_DIR:-$top/target}/release/tool-router}")
# Image limit, in bytes of files.
most_bytes=${MOST_BYTES:-200000000}

step() { printf '\n== %s\n' "$*"; }
proved() { echo "  ok: $*"; }
fail() {
    echo "check: $*" >&2
    if [ -s "${work:-}/log" ]; then echo "check: the router's last words:" >&2; tail -n 5 "$work/log" >&2; fi
    exit 1
}

[ "$(id -u)" = 0 ] || fail "needs root, to mount, to make namespaces and to give up rights"

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need debootstrap debootstrap
need unshare util-linux
need capsh libcap2-bin
need ip iproute2
need pgrep procps
need strip binutils
need openssl openssl
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || fail "these Debian packages are missing, and there is no apt-get to bring them: ${missing[*]}"
    echo "check: installing with apt-get: ${missing[*]}"
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
        fail "apt-get could not install ${missing[*]}"
    fi
fi

work=$(mktemp -d)
root=$work/root volume=$work/volume secrets=$work/secrets
# shellcheck source-path=SCRIPTDIR source=router.sh
. "$here/router.sh"
clean_up() {
    # All of the sandbox ends with its first process, its mounts with the sandbox, and then what encloses it.
    if [ -n "$outer" ]; then
        pkill -KILL --parent "$outer" || kill -KILL "$outer" || true
        wait "$outer" || true
    fi 2>/dev/null
    remove_groups
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step "the file system"
bash "$here/rootfs.sh" "$root" "$program"
echo "  stands for these lines of the Dockerfile:"
instructions final COPY | sed 's/^/    COPY /'
bytes=$(du --summarize --apparent-size --block-size=1 "$root" | cut -f1)
packed=$(tar --create --directory "$root" . | gzip | wc -c)
megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }
[ "$bytes" -lt $most_bytes ] || fail "the image would take $(megabytes "$bytes"), $(megabytes $most_bytes) or more"
proved "size $(megabytes "$bytes"), as tar.gz $(megabytes "$packed")"
[ -z "$(find "$root" -xdev -type f -perm /6000)" ] || fail "set-user-id files: $(find "$root" -xdev -type f -perm /6000)"
[ -z "$(find "$root" -xdev -type f -perm -002)" ] || fail "files that anyone may write: $(find "$root" -xdev -type f -perm -002)"
proved "no set-user-id file, no file that anyone may write"
for path in etc/ssl/certs/ca-certificates.crt usr/lib/tool-router/LICENSE usr/lib/tool-router/ThirdPartyNotices.txt \
    usr/share/tool-router/models/tool-minilm-l6-int8/LICENSE usr/share/doc/tool-router/LICENSE usr/share/doc/tool-router/NOTICE; do
    [ -s "$root/$path" ] || fail "/$path is missing"
done
proved "certificate authorities and the licences of program, runtime and model are inside"

if [ "$(instructions final USER)" != 65532:65532 ] || [ "$(instructions final VOLUME)" != /var/lib/tool-router ]; then
    fail "USER and VOLUME of the Dockerfile are not what sandbox.sh uses"
fi

mkdir "$volume" "$secrets"
openssl rand -hex 32 >"$secrets/select_token"
openssl rand -hex 32 >"$secrets/admin_token"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=check authority" \
    -keyout "$work/ca.key" -out "$secrets/ca.crt" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=check" -addext basicConstraints=critical,CA:FALSE \
    -addext subjectAltName=IP:127.0.0.1 -CA "$secrets/ca.crt" -CAkey "$work/ca.key" \
    -keyout "$secrets/tls.key" -out "$secrets/tls.crt" 2>/dev/null
chown -R 65532:65532 "$volume" "$secrets"
chmod 0400 "$secrets"/*

limited="1024 open files, $pids tasks"
if make_groups 2>/dev/null; then
    limited="memory $((memory / 1048576)) MiB and $pids tasks by cgroup, 1024 open files"
else
    remove_groups
    limits+=(--as=$((4 * memory)))
fi

tokens=(TOOL_ROUTER__ACCESS__SELECT_TOKEN_FILE=/run/secrets/select_token TOOL_ROUTER__ACCESS__ADMIN_TOKEN_FILE=/run/secrets/admin_token)
tls=(TOOL_ROUTER__SERVER__TLS__CERTIFICATE_FILE=/run/secrets/tls.crt TOOL_ROUTER__SERVER__TLS__KEY_FILE=/run/secrets/tls.key
    TOOL_ROUTER_HEALTH_ADDRESS=https://127.0.0.1:7431 TOOL_ROUTER_HEALTH_CA_FILE=/run/secrets/ca.crt)
insecure=TOOL_ROUTER__SERVER__INSECURE=true

step "it fails closed"
refuses "no setting"
refuses "tokens, without TLS" "${tokens[@]}"
refuses "TLS, without tokens" "${tls[@]}"
refuses "tokens that are not mounted" "${tokens[@]/secrets/nowhere}" $insecure

step "compose.single.yaml's settings: tokens, no TLS"
sleep 1 # so that what it writes is newer than what was laid down
touch "$work/started"
start "tokens" "${tokens[@]}" $insecure
grep -o '"message":"router is ready".*"model.id":"[^"]*"' "$work/log" | sed 's/^/  log: /'

step "its rights"
for right in CapInh CapPrm CapEff CapBnd CapAmb; do
    [ "$(status $right)" = 0000000000000000 ] || fail "$right is $(status $right)"
done
for id in Uid Gid; do
    [ "$(status $id)" = "65532 65532 65532 65532" ] || fail "$id is $(status $id)"
done
[ "$(status NoNewPrivs)" = 1 ] || fail "NoNewPrivs is $(status NoNewPrivs)"
[ "$(status NSpid)" = "$pid 1" ] || fail "it is not process 1: $(status NSpid)"
proved "process 1, uid and gid 65532, groups $(status Groups), CapInh/Prm/Eff/Bnd/Amb all 0, NoNewPrivs 1"
for path in /probe /tmp/probe /run/probe /run/secrets/probe /etc/tool-router/config.toml /usr/local/bin/tool-router /dev/probe; do
    if inside sh -c ": >>$path" 2>"$work/said"; then fail "$path can be written"; fi
    grep -Eq 'Read-only file system|Permission denied' "$work/said" || fail "writing $path failed in another way: $(cat "$work/said")"
done
grep -q '^[^ ]* / [^ ]* ro,' "/proc/$pid/mounts" || fail "the root is not mounted read-only"
proved "the root is read-only; writing to /, /tmp, /run, /run/secrets, /etc, /usr and /dev fails"
for group in "${groups[@]}"; do
    grep -qx "$pid" "$group/cgroup.procs" || fail "it is not in $group"
done
proved "limits: $limited"

step "it works"
outside import file "$top"/examples/catalogue/*.json --token-file "$secrets/admin_token" | tail -n 1 | sed 's/^/  /'
outside select "give the customer their money back for order 1182" --max-tools 3 --token-file "$secrets/select_token" | sed 's/^/  /'
grep -q '"toolrouter.mode":"semantic"' "$work/log" || fail "the selection did not use the model"
proved "the selection was made with the model"
if outside select "anything" >/dev/null 2>"$work/said"; then fail "it selects without a token"; fi
grep -q Unauthenticated "$work/said" || fail "a call without a token failed in another way: $(cat "$work/said")"
proved "a call without a token is refused"
# Nothing listens there: how far it gets says whether the authorities were found.
inside tool-router import mcp --url https://127.0.0.1:9/mcp --source probe >"$work/said" 2>&1 || true
if ! grep -q 'cannot be reached' "$work/said" || grep -q 'No CA certificates' "$work/said"; then
    fail "calling an https:// MCP server fails in another way than for want of one: $(cat "$work/said")"
fi
proved "it finds the certificate authorities for https:// MCP servers"
outside tools list --json --token-file "$secrets/select_token" | sort >"$work/before"
peak=$(status VmHWM)
proved "$(wc -l <"$work/before") tools; memory at most $((${peak% kB} * 1024 / 1000000)) MB, $(status Threads) threads"

step "what it wrote"
[ -z "$(find "$root" -xdev -newer "$work/started")" ] || fail "outside the volume: $(find "$root" -xdev -newer "$work/started")"
[ -z "$(find "/proc/$pid/root/dev/shm" -mindepth 1)" ] || fail "in /dev/shm: $(find "/proc/$pid/root/dev/shm" -mindepth 1)"
strangers=$(find "$volume" -mindepth 1 ! -name 'router.db*' ! -name 'replay.db*')
[ -z "$strangers" ] || fail "in the volume, beside the store: $strangers"
proved "only $(cd "$volume" && echo *) in the volume"
stop

step "compose.single.tls.yaml's settings: tokens and TLS, on the same volume"
start "tokens and TLS" "${tokens[@]}" "${tls[@]}"
over_tls=(--address https://127.0.0.1:7431 --ca-file "$secrets/ca.crt" --token-file "$secrets/select_token")
outside tools list --json "${over_tls[@]}" | sort >"$work/after"
cmp --silent "$work/before" "$work/after" || fail "the tools are not those of before the restart"
proved "all $(wc -l <"$work/after") tools are still there"
outside select "what is on my calendar tomorrow" --max-tools 2 "${over_tls[@]}" | sed 's/^/  /'
if outside health >/dev/null 2>&1; then fail "it answers in plain text as well"; fi
proved "plain text is refused"
stop

step "nothing but the explicit word"
start "insecure" $insecure
stop

step "not proved here"
cat <<'TEXT'
  the stages `build` and `runtime` as an engine runs them, layers, labels, how the health check is scheduled
  the base image itself: debootstrap stands for debian:bookworm-slim, without its security updates
  a seccomp profile, masked files in /proc, user namespaces, published ports
TEXT
[ ${#groups[@]} -gt 0 ] || echo "  limits by cgroup: this machine does not let them be set"
printf '\ncheck: passed in %s s\n' "$SECONDS"
