# What check_runbook.sh plays on: servers and routers and how they end, the blocks of the runbook, selections all the while, and what has to
# be there. Sourced; complaints, folders and the program are the caller's.
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the caller

# ---------------------------------------------------------------------------------------------------------------------------------------
# What is started, and how it ends.

declare -A server=() # process ids of PostgreSQL servers
asking=''            # process id of what asks for selections
mounted=()

# ours PID: whether it is what was started here. A number may belong to somebody else by now.
ours() { tr '\0' ' ' <"/proc/$1/cmdline" | grep -F "$work/"; }

clean_up() {
    local file one
    [ -z "$asking" ] || kill "$asking"
    for file in "$run"/*.pid; do
        if [ -e "$file" ] && ours "$(<"$file")"; then kill -KILL "$(<"$file")"; fi
    done
    for one in "${server[@]}"; do
        # At once; nobody needs the data.
        if ours "$one"; then kill -QUIT "$one"; fi
    done
    wait
    for one in "${mounted[@]}"; do umount --lazy "$one"; done
    rm -rf --one-file-system "$work"
} >/dev/null 2>&1
trap 'set +e; clean_up' EXIT
trap 'exit 130' INT TERM

# free_port NAME: sets the variable NAME. Below the ports that the system gives to connections by itself.
declare -A port_taken=()
free_port() {
    local -n found=$1
    while :; do
        found=$((20000 + RANDOM % 12000))
        if [ -z "${port_taken[$found]:-}" ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$found") 2>/dev/null; then break; fi
    done
    port_taken[$found]=yes
}

# within SECONDS COMMAND...: again and again until it succeeds.
within() {
    local until=$(($(date +%s%3N) + 1000 * $1))
    until "${@:2}"; do
        [ "$(date +%s%3N)" -lt $until ] || return 1
        sleep 0.1
    done
}

# ---------------------------------------------------------------------------------------------------------------------------------------
# PostgreSQL, never as root.

programs=
IFS=: read -ra path <<<"$PATH"
for folder in "${path[@]}" /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_basebackup" ] && [ -x "$folder/pg_restore" ]; then programs=$folder; fi
done
[ -n "$programs" ] || fail "needs PostgreSQL (Debian: apt-get install postgresql)"
for needed in openssl curl; do command -v $needed >/dev/null || fail "needs $needed (Debian: apt-get install $needed)"; done
as_owner=()
if [ "$(id -u)" = 0 ]; then
    owner=$(id -u postgres 2>/dev/null || id -u nobody)
    as_owner=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups)
fi

# small_disk SIZE FOLDER: in memory, which is taken as it is written.
small_disk() {
    mount -t tmpfs -o "size=$1,mode=0755" tmpfs "$2" 2>/dev/null || return 1
    mounted+=("$2")
}
may_mount=yes
small_disk 300m "$work/postgres" || may_mount=
[ -z "$may_mount" ] || small_disk 8m "$work/disk" || may_mount=
[ ${#as_owner[@]} = 0 ] || chown "$owner" "$work/postgres"

# start_server NAME PORT: with data, socket and what it prints in its folder.
start_server() {
    local folder=$work/postgres/$1
    while :; do
        (cd / && exec "${as_owner[@]}" "$programs/postgres" -D "$folder" -k "$folder" -p "$2" -c listen_addresses=127.0.0.1) \
            >>"$logs/postgres-$1" 2>&1 &
        server[$1]=$!
        for _ in {1..200}; do
            "$programs/pg_isready" --quiet --host "$folder" --port "$2" && return
            kill -0 "${server[$1]}" 2>/dev/null || break
            sleep 0.05
        done
        # After a kill, the last of its processes may still be on their way out, and it does not start beside them.
        grep -q 'pre-existing shared memory' <<<"$(tail -n 3 "$logs/postgres-$1")" || break
    done
    fail "PostgreSQL ($1) does not start: $(tail -n 3 "$logs/postgres-$1")"
}

# kill_server NAME: as a machine that loses its power.
kill_server() {
    kill -KILL "${server[$1]}"
    wait "${server[$1]}" 2>/dev/null || true
    unset "server[$1]"
}

# sql STATEMENT...: as administrator of the database in use.
sql() {
    local statements=() one
    for one in "$@"; do statements+=(--command "$one"); done
    "$programs/psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --host "${var[PGHOST]}" --port "${var[PGPORT]}" \
        --username "${var[PGUSER]}" --dbname "${var[PGDATABASE]}" "${statements[@]}" >"$said" 2>&1 || fail "PostgreSQL refuses: $*"
}

# ---------------------------------------------------------------------------------------------------------------------------------------
# The runbook: a folder for each section, and in it a file for each block: 1.sh, 2.sh, 1.console, 1.text. All that is no block is its prose.

awk -v folder="$blocks" '
    function complain(what) { print FILENAME ":" FNR ": " what; failed = 1; exit 1 }
    /^## / && !kind {
        place = sprintf("%s/%02d", folder, ++sections); system("mkdir " place)
        print substr($0, 4) > (place "/name"); split("", count)
        next
    }
    /^```/ && kind { close(file); kind = ""; next }
    /^```/ {
        kind = substr($0, 4)
        if (kind !~ /^(sh|console|text)$/) complain("a block is sh (run), console (not run) or text (printed), and not \"" kind "\"")
        if (!place) complain("a block before the first section")
        file = place "/" (++count[kind]) "." kind; printf "" > file
        next
    }
    /^[ \t]+```/ { complain("a block begins at the start of a line") }
    kind { print > file; next }
    place { print > (place "/prose") }
    END { if (!failed && kind) { print FILENAME ": a block has no end"; exit 1 } }
' "$runbook" >"$said" || fail "the runbook cannot be read"

declare -A var=() # what the blocks use, by name

# play FILE: as somebody would who has set the variables, and nothing else.
play() {
    local name settings=()
    for name in "${!var[@]}"; do settings+=("$name=${var[$name]}"); done
    (cd "$scratch" && exec env -i PATH="$bin:$programs:$PATH" HOME="$scratch" TMPDIR="$scratch" LANG=C.UTF-8 "${settings[@]}" \
        timeout 60 bash -euo pipefail "$1") >"$said" 2>&1 </dev/null
}

# block N...: runs blocks of this section; they have to succeed.
block() {
    local number file code=0
    for number in "$@"; do
        file=$place/$number.sh at="block $number"
        [ -f "$file" ] || fail "there is no such block"
        play "$file" || code=$?
        if [ $code != 0 ]; then
            { sed 's/^/    | /' "$file" && cat "$said"; } >"$said.all"
            mv "$said.all" "$said"
            fail "it ended with $code"
        fi
        touch "$file.run"
        at="after block $number"
    done
}

# refused_block N WORDS: the same where it must not succeed, and say why.
refused_block() {
    at="block $1"
    if play "$place/$1.sh"; then fail "it succeeded, and should have said: $2"; fi
    touch "$place/$1.sh.run"
    said_words "$2"
    at="after block $1"
}

# promised WORDS: they have to stand in this section.
promised() {
    if tr -s '\n ' ' ' <"$place/prose" | grep -F -- "$1" >/dev/null; then return; fi
    : >"$said"
    fail "the runbook no longer says \"$1\", which is what the program is held to"
}

# said_words WORDS: they have to be among what was printed last.
said_words() { grep -qF -- "$1" "$said" || fail "it should have printed: $1"; }

# act TITLE: begins a section.
act() {
    local one
    section=$1 at='' place=''
    for one in "$blocks"/*/; do
        if [ "$(<"$one/name")" = "$1" ]; then place=${one%/}; fi
    done
    [ -n "$place" ] || fail "the runbook has no such section"
    touch "$place/played"
    step "$section"
}

# end_act: nothing was forgotten, nothing is lost.
end_act() {
    local file
    for file in "$place"/*.sh; do
        [ -e "$file" ] || continue
        [ -e "$file.run" ] || { : >"$said" && fail "block $(basename "$file" .sh) is not played: say in $(basename "$0") when"; }
        blocks_run=$((blocks_run + 1))
    done
    all_there
}

# leave_out TITLE WHY
leave_out() {
    act "$1"
    blocks_left_out=$((blocks_left_out + $(find "$place" -name '*.sh' | wc -l)))
    echo "  left out: $2"
}

# ---------------------------------------------------------------------------------------------------------------------------------------
# Routers.

declare -A address=() http=()

# router NAME CONFIG: how it is started.
router() {
    local grpc http_port snapshot
    free_port grpc
    free_port http_port
    address[$1]=https://127.0.0.1:$grpc http[$1]=http://127.0.0.1:$http_port
    # Two routers on one machine need two files.
    snapshot=
    [ "$1" != b ] || snapshot=TOOL_ROUTER__STORE__POSTGRES__SNAPSHOT_FILE=$work/snapshot-b.jsonl
    cat >"$run/$1.settings" <<TEXT
http=${http[$1]} log=$logs/$1 environment=($snapshot)
arguments=(--config $2 --grpc-address 127.0.0.1:$grpc --http-address 127.0.0.1:$http_port)
TEXT
}

# What stands for systemd or Compose.
command_for_blocks() {
    { echo '#!/usr/bin/env bash' && echo "set -euo pipefail; pid_file=$run/\$1.pid; . $run/\$1.settings" && cat; } >"$bin/$1"
    chmod +x "$bin/$1"
}
command_for_blocks start_router <<'TEXT'
# It outlives whoever starts it.
setsid env "${environment[@]}" tool-router serve "${arguments[@]}" >>"$log" 2>&1 </dev/null &
pid=$!
echo $pid >"$pid_file"
for _ in {1..200}; do
    [ "$(curl --silent --output /dev/null --write-out '%{http_code}' "$http/readyz")" != 200 ] || exit 0
    kill -0 $pid 2>/dev/null || { rm "$pid_file" && tail -n 1 "$log" >&2 && exit 1; }
    sleep 0.05
done
echo "$1 does not get ready" >&2
exit 1
TEXT
command_for_blocks stop_router <<'TEXT'
pid=$(<"$pid_file")
kill -TERM "$pid"
for _ in {1..400}; do
    # Whoever inherited it may not have taken note of its end.
    grep -qs '^State:.[^Z]' "/proc/$pid/status" || { rm "$pid_file" && exit 0; }
    sleep 0.05
done
echo "$1 does not stop" >&2
exit 1
TEXT
command_for_blocks reload_router <<'TEXT'
kill -HUP "$(<"$pid_file")"
TEXT
ln -s "$program" "$bin/tool-router"

# routers start|stop|reload NAME...: what is no block.
routers() {
    local name
    for name in "${@:2}"; do
        PATH=$bin:$PATH "$bin/$1_router" "$name" >"$said" 2>&1 || fail "${1}_router $name: $(tail -n 1 "$logs/$name")"
    done
}
kill_router() {
    kill -KILL "$(<"$run/$1.pid")"
    rm "$run/$1.pid"
}

# certificate: a new one and its key, beside those that the routers have, by the stage's own authority.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 60 -subj "/CN=check" \
        -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 -CA "$etc/ca.crt" -CAkey "$work/ca.key" \
        -keyout "$etc/tls.key.new" -out "$etc/tls.crt.new" >"$said" 2>&1 || fail "no certificate can be made"
}
shown_certificate() {
    openssl s_client -connect "${address[$1]#https://}" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint 2>/dev/null
}
shows_new_certificate() { [ "$(shown_certificate "$1")" = "$(openssl x509 -in "$etc/tls.crt" -noout -fingerprint)" ]; }

readyz_says() { curl --silent "${http[$1]}/readyz" >"$said" && grep -q -- "^$2" "$said"; }
store_up_is() { curl --silent "${http[$1]}/metrics" | grep -x "toolrouter_store_up $2" >/dev/null; }
log_says() { tail -n 20 "$logs/$1" >"$said" && grep -qF -- "$2" "$said"; }

# start_another CONFIG: one more router, which is not meant to get anywhere.
start_another() {
    local port
    free_port port
    timeout 20 "$program" serve --config "$1" --grpc-address 127.0.0.1:"$port" --http-address 127.0.0.1:0 \
        >"$logs/another" 2>"$said" </dev/null
}

client=(--token-file "$etc/admin_token" --ca-file "$etc/ca.crt")
call() { "$program" "${@:2}" --address "${address[$1]}" "${client[@]}"; }

# version ROUTER: as EPOCH.NUMBER.
version() { call "$1" tools list | sed -n 's/.*catalogue version //p'; }

# ---------------------------------------------------------------------------------------------------------------------------------------
# Selections, all the while.

# serving NAME...: routers that have to answer; none: nobody has to, for now.
generation=0
serving() {
    generation=$((generation + 1))
    echo "$generation $*" >"$load/serving.new"
    mv "$load/serving.new" "$load/serving"
}

# One router after the other; where one does not answer, the next, as a client does.
ask_all_the_while() {
    local order asked turn=0 try name words
    while sleep 0.15; do
        order=$(<"$load/serving") turn=$((turn + 1)) words=
        read -ra asked <<<"${order#* }"
        for ((try = 0; try < ${#asked[@]}; try++)); do
            name=${asked[(turn + try) % ${#asked[@]}]}
            words=$(call "$name" select "refund the payment of order $turn" --max-tools 1 --timeout-ms 2000 2>&1) || true
            if [[ $words == */createRefund* ]]; then
                echo $turn >>"$load/answered"
                continue 2
            fi
            # Whoever no longer has to answer need not.
            [ "$order" = "$(<"$load/serving")" ] || continue 2
            echo "$(date +%T) $name: $words" >>"$load/retried"
        done
        if [ ${#asked[@]} -gt 0 ]; then echo "$(date +%T) ${asked[*]}: $words" >>"$load/failed"; fi
    done
}

# forget: what was answered until now.
forget() { for one in answered retried failed; do : >"$load/$one"; done; }

# selections_went_on [but_for_WHOM]: since this was last asked. With a word, some may have gone to another router than they were meant for.
selections_went_on() {
    local answered
    sleep 0.5
    answered=$(wc -l <"$load/answered")
    if [ -s "$load/failed" ]; then cp "$load/failed" "$said" && fail "selections failed"; fi
    if [ $# = 0 ] && [ -s "$load/retried" ]; then cp "$load/retried" "$said" && fail "selections had to go to another router"; fi
    [ "$answered" -gt 0 ] || fail "no selection was asked for"
    proved "$answered selections were answered, none failed${1:+; $(wc -l <"$load/retried") of them at the second router}"
    forget
}

# ---------------------------------------------------------------------------------------------------------------------------------------
# Registrations, and what has to be there.

made=0 filling=

# on shared|single: whose selections, registrations and store are looked at.
on() {
    world=$1
    case $1 in
        shared) members=(a b) ;;
        single) members=(single) ;;
    esac
    serving "${members[@]}"
}

# store_does COMMAND ARGUMENT...: `tool-router store`, with this world's store after its arguments. SQLite's file is its router's alone.
store_does() {
    local store=@${var[URL_FILE]} code=0
    if [ "$world" = single ]; then
        store=${var[SQLITE]}
        serving
        routers stop single
    fi
    if [ "$1" = export ]; then set -- "$@" --store "$store"; else set -- "$@" "$store"; fi
    "$program" store "$@" >"$said" 2>&1 || code=$?
    if [ "$world" = single ]; then
        cp "$said" "$said.store"
        routers start single
        serving single
        mv "$said.store" "$said"
    fi
    return $code
}

tools_at() { call "$1" tools list --json 2>&1 | sort; }

# remember ROUTER: what it and its store have now is what has to be there from now on. The two must not differ.
remember() {
    tools_at "$1" >"$work/tools-$world"
    store_does export "$work/truth-$world" || fail "the store cannot be exported"
    sed 's/^{"source":"\([^"]*\)","definition":{"name":"\([^"]*\)".*"fingerprint":"\([^"]*\)".*/\1 \2 \3/' \
        "$work/tools-$world" | sort >"$work/in-memory"
    sed -n 's/^{"tool":{"source":"\([^"]*\)","name":"\([^"]*\)".*"fingerprint":"\([^"]*\)".*/\1 \2 \3/p' \
        "$work/truth-$world" | sort >"$work/in-store"
    diff "$work/in-memory" "$work/in-store" >"$said" || fail "router $1 and its store differ; < only the router has, > only the store"
}

# register ROUTER: one new tool.
register() {
    made=$((made + 1))
    printf '{"tools":[{"name":"%s","description":"Made by the check.%s","inputSchema":{"type":"object"}}]}' "made_$made" "$filling" \
        >"$work/made.json"
    call "$1" import file "$work/made.json" --source check >"$said" 2>&1
}

# taken ROUTER [SECONDS]: a registration is taken, after that time at most, and nothing that was there is gone.
taken() {
    local begun lost
    begun=$(date +%s%3N)
    within "${2:-0}" register "$1" || fail "a registration at $1 is refused${2:+, $2 s after it should be taken again}"
    proved "a registration is taken at $1${2:+, $(($(date +%s%3N) - begun)) ms after it was first tried}"
    lost=$(tools_at "$1" | comm -13 - "$work/tools-$world" | cut -c 1-150)
    [ -z "$lost" ] || { echo "$lost" >"$said" && fail "$1 has lost tools"; }
    remember "$1"
    grep -qF "\"name\":\"made_$made\"" "$work/tools-$world" || fail "$1 has not what it acknowledged"
}

# refused ROUTER WORDS: a registration is refused, and with these words.
refused() {
    promised "$2"
    if register "$1"; then fail "$1 takes a registration, and the runbook says that it is refused with \"$2\""; fi
    said_words "(Unavailable)"
    said_words "$2"
    proved "a registration is refused at $1: $(grep -o '(Unavailable).*' "$said" | cut -c 1-160)"
}

has_all() { tools_at "$1" | cmp --silent - "$work/tools-$world"; }

# all_there: each router and the store have what was acknowledged, no more and no less.
all_there() {
    local name tools
    tools=$(wc -l <"$work/tools-$world")
    for name in "${members[@]}"; do
        within 5 has_all "$name" && continue
        tools_at "$name" | diff "$work/tools-$world" - | cut -c 1-150 >"$said" || true
        fail "router $name has other tools than were acknowledged; < is what is missing, > what should not be there"
    done
    store_does verify "$work/truth-$world" || fail "the store has something else than was acknowledged"
    proved "$tools tools, those that were acknowledged, at ${members[*]} and in the store"
}

# ---------------------------------------------------------------------------------------------------------------------------------------
# The stage.

step "the stage"
primary_port='' standby_port=''
free_port primary_port
free_port standby_port
"${as_owner[@]}" "$programs/initdb" --auth-local trust --auth-host scram-sha-256 --username postgres --no-sync --encoding UTF8 --locale C \
    --pgdata "$work/postgres/primary" >"$said" 2>&1 || fail "initdb"
start_server primary "$primary_port"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=check authority" -keyout "$work/ca.key" \
    -out "$etc/ca.crt" >"$said" 2>&1 || fail "no certificate authority can be made"
certificate
mv "$etc/tls.key.new" "$etc/tls.key"
mv "$etc/tls.crt.new" "$etc/tls.crt"
openssl rand -hex 32 >"$etc/select_token"
openssl rand -hex 32 >"$etc/admin_token"
for config in shared single; do
    cat >"$etc/$config.toml" <<TEXT
[server]
drain_delay_ms = $([ $config = single ] && echo 0 || echo 300)
tls = { certificate_file = "$etc/tls.crt", key_file = "$etc/tls.key" }
[access]
select_token_file = "$etc/select_token"
admin_token_file = "$etc/admin_token"
[embedder]
kind = "hashing"
workers = 1
[log]
format = "json"
TEXT
done
cat >>"$etc/shared.toml" <<TEXT
[store.postgres]
url_file = "$etc/postgres.url"
snapshot_file = "$work/snapshot-a.jsonl"
timeout_ms = 1000
start_timeout_ms = 500
TEXT
printf '[store]\npath = "%s"\n' "$work/disk/router.db" >>"$etc/single.toml"
router a "$etc/shared.toml"
router b "$etc/shared.toml"
router single "$etc/single.toml"

# url PORT DATABASE: as the routers' own role.
password=first
url() { echo "postgres://tool_router:$password@127.0.0.1:$1/$2"; }

var=(
    [CONFIG]=$etc/shared.toml [URL_FILE]=$etc/postgres.url [NEW_URL_FILE]=$etc/postgres.url.new
    [ROUTER_A]=${address[a]} [ROUTER_B]=${address[b]} [HTTP_A]=${http[a]}
    [CLIENT]="${client[*]}" [SELECT_TOKEN]=$etc/select_token [ADMIN_TOKEN]=$etc/admin_token
    [CERTIFICATE]=$etc/tls.crt [KEY]=$etc/tls.key
    [BACKUP]=$work/backups/1.jsonl [DUMP]=$work/backups/1.dump
    [PGHOST]=$work/postgres/primary [PGPORT]=$primary_port [PGUSER]=postgres [PGDATABASE]=postgres [NEW_DATABASE]=tools_2
    [STANDBY_HOST]=$work/postgres/standby [STANDBY_PORT]=$standby_port
    [SQLITE]=$work/disk/router.db [SINGLE_CONFIG]=$etc/single.toml [SINGLE]=${address[single]} [HTTP_SINGLE]=${http[single]}
)
sql "CREATE ROLE tool_router LOGIN PASSWORD '$password'" "CREATE DATABASE tools OWNER tool_router"
var[PGDATABASE]=tools
url "$primary_port" tools >"${var[URL_FILE]}"
url "$primary_port" tools_2 >"${var[NEW_URL_FILE]}"
echo "  $("$programs/postgres" --version), $("$program" --version)"
