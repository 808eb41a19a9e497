#!/usr/bin/env bash
# Checks with Docker what check.sh cannot: the build, layers, seccomp, Compose, volumes, published ports, how the health check is scheduled.
#
# Usage: check_engine.sh     needs Docker with BuildKit and Compose 2, and ports 7431 and 7432 free on loopback
# IMAGE names an image that is built already; absent: it is built here. Everything is made under names of its own and removed at the end.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
project=tool-router-check # also the name of the image
image=${IMAGE:-}

step() { printf '\n== %s\n' "$*"; }
proved() { echo "  ok: $*"; }
fail() {
    echo "check_engine: $*" >&2
    exit 1
}

docker compose version >/dev/null 2>&1 || fail "needs the docker client with Compose 2 (\`docker compose\`)"
docker info >/dev/null 2>&1 || fail "no engine answers; start Docker, or set DOCKER_HOST"

# Secrets are looked for beside the first compose file: a copy keeps the real ones out of this.
work=$(mktemp -d)
mkdir "$work/secrets"
cp "$here"/compose*.yaml "$work/"
compose=(docker compose --project-name "$project" --file "$work/compose.single.yaml")
clean_up() {
    "${compose[@]}" down --volumes --timeout 1 >/dev/null 2>&1 || true
    docker image rm $project >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step "the image"
if [ -z "$image" ]; then
    image=$project
    docker build --file "$here/Dockerfile" --tag $image --build-arg REVISION="$(git -C "$top" rev-parse HEAD)" "$top" >"$work/log" 2>&1 \
        || { tail -n 20 "$work/log" >&2; fail "docker build failed, its last words are above"; }
fi
bytes=$(docker image inspect --format '{{.Size}}' "$image")
[ "$bytes" -lt 200000000 ] || fail "the image takes $bytes bytes, 200 MB or more"
proved "$((bytes / 1000000)) MB in $(docker image inspect --format '{{len .RootFS.Layers}}' "$image") layers"
docker image inspect --format '{{range $name, $value := .Config.Labels}}{{println $name "=" $value}}{{end}}' "$image" | sed '/^$/d; s/^/  /'

step "it fails closed"
code=0
docker run --rm --read-only "$image" >"$work/log" 2>&1 || code=$?
if [ $code != 64 ] || [ "$(wc -l <"$work/log")" != 1 ]; then fail "it should end with 64 and one line, it ended with $code: $(cat "$work/log")"; fi
proved "exit code 64, \"$(cat "$work/log")\""

for token in select_token admin_token; do openssl rand -hex 32 >"$work/secrets/$token"; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=check" -addext basicConstraints=critical,CA:FALSE \
    -addext subjectAltName=DNS:router.example -keyout "$work/secrets/tls.key" -out "$work/secrets/tls.crt" 2>/dev/null
cp "$work/secrets/tls.crt" "$work/secrets/ca.crt"
# The folder above is closed to others; the files have to be readable for the container's user.
chmod 0444 "$work"/secrets/*

# The image's own program is the client on this machine, so that the published ports are what is called.
container=$(docker create "$image")
docker cp "$container:/usr/local/bin/tool-router" "$work/tool-router" >/dev/null
docker rm --volumes "$container" >/dev/null
cat >"$work/image.yaml" <<YAML
services: { router: { image: "$image" } }
YAML
compose+=(--file "$work/image.yaml")
inspect() { docker inspect --format "$1" $project-router-1; }

step "compose.single.yaml"
"${compose[@]}" up --no-build --wait --wait-timeout 90 >/dev/null 2>&1 || { "${compose[@]}" logs >&2; fail "it did not get healthy"; }
proved "health: $(inspect '{{.State.Health.Status}}'); the check says: $(inspect '{{range .State.Health.Log}}{{.Output}}{{end}}' | grep . | tail -n 1)"
# shellcheck disable=SC2016 # for the shell inside, which has nothing but its own words
"${compose[@]}" exec --no-TTY router sh -c \
    'while read -r name value; do case $name in Uid: | Cap* | NoNewPrivs: | Seccomp:) echo "$name $value" ;; esac; done </proc/1/status' >"$work/rights"
for right in "Uid: 65532" "CapEff: 0000000000000000" "CapBnd: 0000000000000000" "NoNewPrivs: 1" "Seccomp: 2"; do
    grep -q "^$right" "$work/rights" || fail "not \"$right\" but: $(paste -sd' ' "$work/rights")"
done
proved "$(tr '\t' ' ' <"$work/rights" | paste -sd';')"
if "${compose[@]}" exec --no-TTY router sh -c ': >/tmp/probe' 2>/dev/null; then fail "/tmp can be written"; fi
changed=$(docker diff $project-router-1 | grep -v '^[AC] /run' || true)
[ -z "$changed" ] || fail "written outside the volume: $changed"
proved "the root is read-only and unchanged; memory $(inspect '{{.HostConfig.Memory}}') bytes, $(inspect '{{.HostConfig.PidsLimit}}') tasks"
"$work/tool-router" import file "$top"/examples/catalogue/*.json --token-file "$work/secrets/admin_token" | tail -n 1 | sed 's/^/  /'
"$work/tool-router" select "open a bug about the login page" --max-tools 2 --token-file "$work/secrets/select_token" | sed 's/^/  /'
exec 3<>/dev/tcp/127.0.0.1/7432
printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
grep -q ' 200 ' <&3 || fail "/readyz on port 7432 does not say 200"
exec 3>&-
proved "imported, selected and asked /readyz from outside, through the published ports"

stop() {
    local from
    from=$(date +%s%3N)
    "${compose[@]}" stop >/dev/null 2>&1
    [ "$(inspect '{{.State.ExitCode}}')" = 0 ] || fail "docker compose stop: exit code $(inspect '{{.State.ExitCode}}') instead of 0"
    proved "docker compose stop: exit code 0 after $(($(date +%s%3N) - from)) ms"
}
stop

step "compose.single.tls.yaml, on the same volume"
export TOOL_ROUTER_NAME=router.example
compose+=(--file "$work/compose.single.tls.yaml")
"${compose[@]}" up --no-build --wait --wait-timeout 90 >/dev/null 2>&1 || { "${compose[@]}" logs >&2; fail "it did not get healthy"; }
proved "health: $(inspect '{{.State.Health.Status}}')"
tools=$("${compose[@]}" exec --no-TTY router tool-router tools list --json --address https://router.example:7431 \
    --ca-file /run/secrets/tls_ca --token-file /run/secrets/select_token | wc -l)
[ "$tools" = 87 ] || fail "87 tools were imported, $tools are there"
proved "all $tools tools are still there"
stop

printf '\ncheck_engine: passed in %s s\n' "$SECONDS"
