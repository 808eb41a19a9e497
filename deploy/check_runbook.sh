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

# shellcheck source-path=SCRIPTDIR source=runbook_stage.sh
. "$here/runbook_stage.sh"

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

act "Alerts"
block 1
said_words "toolrouter_store_up 1"
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
sql "SET default_transaction_read_only = off" "UPDATE tool_router.schema_version SET version = 3"
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
