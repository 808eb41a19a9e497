# shellcheck shell=bash
# Starts, asks and stops the image's program in the sandbox. To be sourced by check.sh, which makes the file system and the folders:
# `work`, `root`, `volume`, `secrets`, and `program` for the client outside.
# shellcheck disable=SC2154 # those five, and `here`, are check.sh's

# Longest wait for a router to be healthy, in seconds.
longest_start=60

# What an engine takes from the image, and the home folder from its /etc/passwd.
mapfile -t environment < <(instructions final ENV)
environment+=("HOME=/var/lib/tool-router")
mapfile -t command < <(words ENTRYPOINT; words CMD)

# The limits of compose.single.yaml: bytes, tasks, seconds.
memory=$(numfmt --from=iec "$(sed -n 's/^ *memory: //p' "$here/compose.single.yaml")")
pids=$(sed -n 's/^ *pids: //p' "$here/compose.single.yaml")
grace=$(sed -n 's/^ *stop_grace_period: \([0-9]*\)s$/\1/p' "$here/compose.single.yaml")
limits=(--nofile=1024:1024 --nproc="$pids:$pids" --core=0:0)

groups=() # cgroups that hold the limits; none where this machine does not let them be made
outer=    # pid of what encloses the router
pid=      # pid of the router, seen from outside
settings=()

# Makes cgroups, of version 2 or 1. False where that cannot be done.
make_groups() {
    local base=/sys/fs/cgroup name=tool-router-check-$$
    if [ -e $base/cgroup.controllers ]; then
        mkdir "$base/$name" && groups=("$base/$name") \
            && echo "$memory" >"$base/$name/memory.max" && echo "$pids" >"$base/$name/pids.max"
    else
        mkdir "$base/memory/$name" && groups=("$base/memory/$name") && mkdir "$base/pids/$name" && groups+=("$base/pids/$name") \
            && echo "$memory" >"$base/memory/$name/memory.limit_in_bytes" && echo "$pids" >"$base/pids/$name/pids.max"
    fi
}

remove_groups() {
    local group
    for group in "${groups[@]}"; do rmdir "$group" 2>/dev/null || true; done
    groups=()
}

# launch [NAME=VALUE...]: the image's command, in the background.
launch() {
    (
        for group in "${groups[@]}"; do echo "$BASHPID" >"$group/cgroup.procs"; done
        exec prlimit "${limits[@]}" bash "$here/sandbox.sh" run "$root" "$volume" "$secrets" "${environment[@]}" "$@" "${command[@]}"
    ) >"$work/log" 2>&1 &
    outer=$!
}

# inside COMMAND...: as `docker exec` would, with the settings of the running router, for the health check reads some.
inside() { bash "$here/sandbox.sh" exec "$pid" "$root" "${environment[@]}" "${settings[@]}" "$@"; }

# outside COMMAND...: the client on this machine, through the sandbox's network.
outside() { nsenter --target "$pid" --net "$program" "$@"; }

# start WHAT [NAME=VALUE...]: launches, and waits for the Dockerfile's health check.
start() {
    local what=$1 from=$SECONDS
    settings=("${@:2}")
    launch "${settings[@]}"
    until pid=$(pgrep --parent "$outer" --exact tool-router) && inside sh -c "$(health_command)" >"$work/health" 2>&1; do
        kill -0 "$outer" 2>/dev/null || fail "with $what it ended by itself"
        [ $((SECONDS - from)) -lt $longest_start ] || fail "with $what it was not healthy after $longest_start s: $(cat "$work/health")"
        sleep 0.2
    done
    proved "with $what the health check says: $(cat "$work/health")"
}

# stop: SIGTERM, then the exit code.
stop() {
    local from code=0 sleeper first
    from=$(date +%s%3N)
    kill -TERM "$pid"
    sleep "$grace" &
    sleeper=$!
    wait -n -p first "$outer" "$sleeper" || code=$?
    [ "$first" = "$outer" ] || fail "SIGTERM did not end it within $grace s"
    kill "$sleeper"
    outer=
    [ $code = 0 ] || fail "after SIGTERM it ended with $code instead of 0"
    proved "SIGTERM ended it with exit code 0 after $(($(date +%s%3N) - from)) ms (allowed: $grace s)"
}

# refuses WHAT [NAME=VALUE...]: it must not start, and say why in one line.
refuses() {
    local what=$1 code=0
    launch "${@:2}"
    wait "$outer" || code=$?
    outer=
    if [ $code != 64 ] || [ "$(wc -l <"$work/log")" != 1 ]; then fail "with $what it should end with 64 and one line, it ended with $code"; fi
    proved "with $what: exit code 64, \"$(cat "$work/log")\""
}

# status NAME: a line of /proc/PID/status.
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status" | xargs; }
