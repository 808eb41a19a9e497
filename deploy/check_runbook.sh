#!/usr/bin/env bash
# Plays the runbook: runs every `sh` block of RUNBOOK.md as it stands, makes the faults that they are for, and sees whether its word holds.
#
# The stage is its own: PostgreSQL and a standby, two routers that share it, one router with an SQLite file, all on free ports of loopback
# and below one temporary folder. Selections are asked for all the while. Words that the program is to print are looked up in the runbook
# first, so that the two cannot part.
#
# Usage: check_runbook.sh PROGRAM [RUNBOOK]     needs PostgreSQL, openssl and curl. Only root can fill a disk; for others that is left out
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -gt 0 ] || { echo "usage: $(basename "$0") PROGRAM [RUNBOOK]" >&2; exit 64; }
program=$(realpath "$1")
runbook=$(realpath "${2:-$here/RUNBOOK.md}")
catalogue=$(dirname "$here")/examples/catalogue

work=$(mktemp -d)
chmod 0755 "$work" # another user's PostgreSQL has to get in
blocks=$work/blocks bin=$work/bin run=$work/run etc=$work/etc logs=$work/logs scratch=$work/scratch load=$work/load
mkdir "$blocks" "$bin" "$run" "$etc" "$logs" "$scratch" "$load" "$work/postgres" "$work/disk" "$work/backups"
said=$work/said # what was printed last
: >"$said"
# Where the play is, for complaints, and what it comes to.
section='' at='' blocks_run=0 blocks_left_out=0 claims=0

step() { printf '\n== %s (after %s s)\n' "$*" $SECONDS; }
proved() {
    claims=$((claims + 1))
    echo "  ok: $*"
}
fail() {
    printf 'check_runbook: %s\n' "${section:+section \"$section\"${at:+, $at}: }$*" >&2
    if [ -s "$said" ]; then printf 'check_runbook: what was printed:\n%s\n' "$(tail -n 15 "$said" | cut -c 1-400)" >&2; fi
    exit 1
}

[ -x "$program" ] || fail "there is no program $program"
case $work in *[[:space:]]*) fail "\$TMPDIR has a blank in it" ;; esac

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

# ---------------------------------------------------------------------------------------------------------------------------------------
# The play.

act "Before anything"
sed -n 's/^| \([^a-z|]*\) |.*/\1/p' "$place/prose" | grep -o '[A-Z_]*[A-Z]' | sort >"$work/table"
printf '%s\n' "${!var[@]}" | sort | diff - "$work/table" >"$said" || fail "its table has other variables than $(basename "$0") sets"
for name in "${!var[@]}"; do
    case $name in PG*) continue ;; esac # read by PostgreSQL's programs
    grep -rqw --include '*.sh' "[$]$name" "$blocks" || fail "no block uses $name, so the table need not have it"
done
routers start a b single
for name in a single; do
    call $name import file "$catalogue"/*.json >"$said" 2>&1 || fail "$name does not take the catalogue"
done
on single
remember single
on shared
remember a
epochs="$(version a | cut -d. -f1)"
forget
ask_all_the_while 2>/dev/null &
asking=$!
block 1
for word in configuration model store clock certificate disk; do said_words "$word"; done
if grep -Eq '^(warn|FAIL)' "$said"; then fail "the doctor is not content"; fi
block 2
[ "$(grep -c '^ok .*takes traffic' "$said")" = 2 ] || fail "the doctor does not say that both routers take traffic"
proved "the doctor finds everything ok, and sees both routers"
store_up_is a 1 || fail "there is no toolrouter_store_up 1 at /metrics"
selections_went_on
end_act

act "Backup"
block 1
selections_went_on
on single
serving
block 2
serving single
"$program" store verify "$work/truth-single" "${var[BACKUP]}.single" >"$said" 2>&1 \
    || fail "the export of the SQLite file has something else in it"
on shared
block 3
proved "the backup can be put into a store, and is the same there"
whole=${var[BACKUP]} var[BACKUP]=$work/backups/half.jsonl
head -n 40 "$whole" >"$work/backups/half.jsonl"
refused_block 3 "the file was cut off after line 40"
proved "half of it is refused: $(grep -o 'the last line.*' "$said")"
var[BACKUP]=$whole
cp "$work/tools-shared" "$work/tools-backup"
cp "$work/truth-shared" "$work/truth-backup"
end_act

# now_on PORT DATABASE, next_on PORT DATABASE: which database the runbook's words mean from here on.
now_on() { var[PGPORT]=$1 var[PGDATABASE]=$2; }
next_on() {
    var[NEW_DATABASE]=$2
    url "$1" "$2" >"${var[NEW_URL_FILE]}"
}
restored_from_backup() {
    cp "$work/tools-backup" "$work/tools-shared"
    cp "$work/truth-backup" "$work/truth-shared"
}

act "Restore"
for way in 2 3; do
    # What came after the backup, and what should not have come.
    taken a
    call a tools remove --source weather >"$said" 2>&1 || fail "the fault cannot be made"
    before=$(version a)
    next_on "$primary_port" "tools_$way"
    block 1 $way
    block 4
    now_on "$primary_port" "tools_$way"
    restored_from_backup
    block 5
    if grep -Eq '^(warn|FAIL)' "$said"; then fail "the doctor is not content"; fi
    all_there
    [ "$(version a)" = "$(version b)" ] || fail "the routers are at different versions"
    # Neither that of the database before, nor that of the backup.
    case " $epochs " in *" $(version a | cut -d. -f1) "*) fail "the epoch is an old one: $(version a)" ;; esac
    epochs="$epochs $(version a | cut -d. -f1)"
    promised "belongs to another history"
    if call a select refund --min-catalog-version "$before" >"$said" 2>&1; then fail "a client gets what it asks of the old history"; fi
    said_words "belongs to another history"
    proved "a new epoch was drawn, and who asks for $before is told so"
    selections_went_on
    taken b
done
on single
forget
before=$(version single)
call single tools remove --source weather >"$said" 2>&1 || fail "the fault cannot be made"
serving
block 6
serving single
all_there
[ "$(version single | cut -d. -f1)" != "${before%.*}" ] || fail "the epoch is the old one, ${before%.*}"
selections_went_on
on shared
forget
end_act

act "Upgrade"
block 1 2
if grep -q '^FAIL' "$said"; then fail "the doctor is not content"; fi
selections_went_on but_for_those_stopped
# Restore says so. Both have just written theirs.
"$program" store verify "$work/truth-shared" "$work/snapshot-a.jsonl" "$work/snapshot-b.jsonl" >"$said" 2>&1 \
    || fail "a router's snapshot is no backup with all tools"
proved "the routers' snapshots are backups with all tools"
taken b
end_act

act "Rollback"
# The usual case.
block 1
# There is no newer build here. Its schema's number has to do; what it exports is what this build would.
next_on "$primary_port" tools_4
block 2
refused a "in a read-only transaction"
selections_went_on
sql "SET default_transaction_read_only = off" "UPDATE tool_router.schema_version SET version = 2"
refusal=$(<"$place/1.text")
refusal=${refusal#*database tools } # the host is another here
refused_block 1 "$refusal"
if start_another "$etc/shared.toml"; then fail "an older build starts on a newer schema"; fi
said_words "$refusal"
proved "an older build does not start: $refusal"
block 3 4
block 5
now_on "$primary_port" tools_4
var[URL_FILE]=${var[NEW_URL_FILE]} var[NEW_URL_FILE]=$etc/postgres.url.next
selections_went_on but_for_those_stopped
taken a
end_act

act "Lost zone or router"
kill_router a
lost=$(date +%s%3N)
serving b
taken b
block 1
serving a b
proved "router a serves again $(($(date +%s%3N) - lost)) ms after it was killed"
block 2
if grep -Eq '^(warn|FAIL)' "$said"; then fail "the doctor is not content"; fi
selections_went_on but_for_those_killed
taken a
end_act

act "Lost database"
# It comes back, and one router has to start meanwhile.
kill_server primary
within 3 readyz_says a "ready, without the store for" || fail "/readyz does not say that the store is away"
block 1
for words in "ready, without the store for" ": selections from memory, no registrations"; do
    promised "${words#: }"
    said_words "$words"
done
said_words "toolrouter_store_up 0"
for name in a b; do refused $name "the store does not answer"; done
promised "the store is away"
log_says a "the store is away" || fail "the log does not say that the store is away"
selections_went_on
routers stop b
block 2
log_says b "starting from the last snapshot" || fail "router b did not start from its snapshot"
within 5 has_all b || fail "router b does not serve what was last known"
proved "a router starts from its snapshot, with all tools"
sed '/^snapshot_file/d' "$etc/shared.toml" >"$etc/no_snapshot.toml"
promised "set store.postgres.snapshot_file to start from what was last known"
if start_another "$etc/no_snapshot.toml"; then fail "a router starts without database and snapshot"; fi
said_words "set store.postgres.snapshot_file to start from what was last known"
proved "one without a snapshot does not start, and says what would help"
start_server primary "$primary_port"
taken a 2
taken b 2
within 2 readyz_says a 'ready$' || fail "/readyz does not say that the store is back"
selections_went_on but_for_those_stopped

# It does not come back. Its standby is synchronous, so nothing that was acknowledged may be missing there.
"${as_owner[@]}" "$programs/pg_basebackup" --host "${var[PGHOST]}" --port "$primary_port" --username postgres --no-sync --checkpoint fast \
    --write-recovery-conf --pgdata "$work/postgres/standby" >"$said" 2>&1 || fail "pg_basebackup"
start_server standby "$standby_port"
sql "ALTER SYSTEM SET synchronous_standby_names = '*'" "SELECT pg_reload_conf()"
synchronous() { sql "SELECT sync_state FROM pg_stat_replication" && grep -qx sync "$said"; }
within 10 synchronous || fail "the standby does not follow"
taken b
cp "$work/tools-shared" "$work/tools-acknowledged"
kill_server primary
within 3 readyz_says b "ready, without the store for" || fail "/readyz does not say that the store is away"
next_on "$standby_port" tools_4
block 3 4
refused a "the store does not answer"
block 5
promised "the store has moved"
cmp --silent "$work/tools-shared" "$work/tools-acknowledged" || fail "the check itself forgot something"
taken a 5
log_says a "the store has moved" || fail "the log does not say that the store has moved"
var[PGHOST]=${var[STANDBY_HOST]}
now_on "$standby_port" tools_4
block 6
if grep -Eq '^(warn|FAIL)' "$said"; then fail "the doctor is not content"; fi
head -n 1 "$said" | grep -qx ready || fail "/readyz still says more than ready"
selections_went_on
end_act

if [ -z "$may_mount" ]; then
    leave_out "Full disk" "needs the right to mount a small disk"
else
    act "Full disk"
    # More than goes into space that is left in a file.
    filling=" $(openssl rand -hex 20000)"
    fill() {
        if dd if=/dev/zero of="$1/filling" bs=64k status=none 2>"$said"; then fail "the disk has no end"; fi
        said_words "No space left"
    }
    on single
    forget
    fill "$work/disk"
    refused single "the store is full"
    block 1
    said_words "MiB free"
    readyz_says single 'ready$' || fail "/readyz says something else than ready"
    selections_went_on
    rm "$work/disk/filling"
    taken single
    all_there
    on shared
    forget
    # PostgreSQL without room for its log would stop; here it has some.
    sql "SELECT pg_switch_wal()" "CREATE TABLE public.room (x int)" "CHECKPOINT"
    fill "$work/postgres"
    refused a "the store is full"
    block 2
    said_words "tools"
    selections_went_on
    rm "$work/postgres/filling"
    taken a 2
    block 3 4
    filling=
    end_act
fi

act "From SQLite to PostgreSQL, and back"
routers stop a b
on single
taken single
before=$(version single)
next_on "$standby_port" tools_5
serving
begun=$(date +%s%3N)
block 1
proved "from one to the other in $(($(date +%s%3N) - begun)) ms"
now_on "$standby_port" tools_5
cp "$work/tools-single" "$work/tools-shared"
cp "$work/truth-single" "$work/truth-shared"
on shared
forget
all_there
for name in a b; do [ "$(version $name)" = "$before" ] || fail "$name is at version $(version $name), which was $before"; done
proved "versions go on as they were: $before"
selections_went_on
taken a
block 2
serving
block 3
cp "$work/tools-shared" "$work/tools-single"
cp "$work/truth-shared" "$work/truth-single"
on single
forget
taken single
selections_went_on
end_act

act "Rotating tokens, certificates and the database's password"
routers start a b
on shared
remember a
forget
# Of the configuration, what is taken and what waits.
sed -i 's/^format = "json"/&\nfilter = "warn"/; s/^\[log\]/[cache]\nanswers_mib = 32\n&/' "$etc/shared.toml"
routers reload a
promised "these need a restart"
within 2 log_says a "these need a restart" || fail "the log does not say what needs a restart"
said_words "cache.answers_mib"
written=$(wc -l <"$logs/a")
call a tools list >"$said"
[ "$(wc -l <"$logs/a")" = "$written" ] || fail "log.filter is not taken: calls are logged at info"
proved "log.filter is taken, and cache.answers_mib is said to need a restart"
cp "$etc/shared.toml" "$etc/right.toml"
echo 'nonsense' >>"$etc/shared.toml"
routers reload a
promised "the configuration is kept as it was"
within 2 log_says a "the configuration is kept as it was" || fail "the log does not say that a wrong configuration is not taken"
sed '/^filter/d' "$etc/right.toml" >"$etc/shared.toml"
proved "a wrong configuration is not taken"
certificate
block 1
for name in a b; do within 2 shows_new_certificate $name || fail "$name shows the old certificate"; done
proved "both routers show the new certificate"
selections_went_on
cp "$etc/admin_token" "$etc/admin_token.first"
serving
block 2
with_old_token() {
    "$program" tools list --address "${address[$1]}" --ca-file "$etc/ca.crt" --token-file "$etc/admin_token.first" >"$said" 2>&1
}
with_new_token() { call "$1" tools list >"$said" 2>&1; }
refuses_old_token() { ! with_old_token "$1"; }
for name in a b; do
    within 2 with_new_token $name || fail "$name does not take the new token"
    with_old_token $name || fail "$name no longer takes the old token"
done
proved "the old token and the new one are taken"
on shared
forget
block 3
for name in a b; do
    within 2 refuses_old_token $name || fail "$name still takes the old token"
    said_words "Unauthenticated"
done
selections_went_on
proved "the old token is refused, the new one is taken"
taken a
block 4
sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'tool_router'"
if "$programs/psql" --no-psqlrc --command "SELECT 1" "$(<"${var[URL_FILE]}.old")" >"$said" 2>&1; then
    fail "the old password is still taken"
fi
said_words "password authentication failed"
proved "the old password is refused"
taken a 5
taken b 5
block 5
if grep -Eq '^(warn|FAIL)' "$said"; then fail "the doctor is not content"; fi
selections_went_on
end_act

at='' && : >"$said"
for one in "$blocks"/*/; do
    section=$(<"$one/name")
    [ -e "$one/played" ] || fail "the section is not played: say in $(basename "$0") how"
done
section=
shown=$(find "$blocks" -name '*.console' | wc -l)
printf '\ncheck_runbook: passed in %s s: %s blocks were run, %s were only shown (Docker or a cluster), %s were left out; %s claims held\n' \
    $SECONDS $blocks_run "$shown" $blocks_left_out $claims
