# shellcheck shell=bash
# demo.sh - what the demos of tunnels share: two daemons, commands that are shown, checks
#
# Sourced, from the repository's root. Variables that a demo reads begin with demo_.
. tests/setup.sh

demo_usage() {
    cat <<END
usage: demos/$demo_name [OPTION...]

  --no-install       install nothing; fail where something is missing
  --built BUILD_DIR  use this build: install nothing and build nothing
${demo_more:+$demo_more
}  --help             this text

Exit: 0 every check held, 1 not, 2 wrong usage, 77 ${demo_less:-it cannot be shown on this machine}.
END
}

demo_wrong() {
    echo "$demo_name: $1 (--help lists the options)" >&2
    exit 2
}

# Only what was started here is ended, by its number, which another may have once it ended.
demo_stop() {
    local pid running
    running=" $(jobs -rp | tr '\n' ' ') "
    for pid in "${demo_pids[@]}"; do
        [[ $running == *" $pid "* ]] || continue
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

demo_finish() {
    demo_stop
    rm -rf "$demo_work"
}

# Reads the options, builds, makes the folder: demo_begin "$@"
demo_begin() {
    local install=yes built=""
    demo_name=$(basename "$0")
    while [ $# -gt 0 ]; do
        case $1 in
        --no-install) install=no ;;
        --built)
            [ $# -ge 2 ] || demo_wrong "--built wants the build's folder"
            built=$2
            shift
            ;;
        --help | -h)
            demo_usage
            exit 0
            ;;
        *) demo_wrong "unknown option \"$1\"" ;;
        esac
        shift
    done
    if [ -z "$built" ]; then
        built=build/dev
        if [ "$install" = yes ]; then
            om_install demo
        else
            om_name_missing demo
        fi
        om_build dev "${demo_targets:-omerta omerta-meshd}"
        echo
    fi
    demo_bin=$(realpath "$built")/bin
    for program in omerta omerta-meshd; do
        [ -x "$demo_bin/$program" ] || demo_fail "$demo_bin/$program is missing"
    done
    command -v curl >/dev/null || demo_fail "curl is missing"
    demo_held=0 demo_failed=0 demo_pids=()
    demo_work=$(mktemp -d)
    trap demo_finish EXIT
    trap 'exit 130' INT TERM
}

demo_fail() {
    if [ -n "${demo_work:-}" ]; then
        tail -n 20 "$demo_work"/*.log >&2 2>/dev/null || true
    fi
    echo "$demo_name: $1" >&2
    exit 1
}

# Asks again until COMMAND succeeds, for half a minute: demo_until COMMAND...
demo_until() {
    for _ in $(seq 600); do
        if "$@" >/dev/null 2>&1; then
            return 0
        fi
        read -rt 0.05 <> <(:) || true
    done
    return 1
}

# A command of a node's user, unseen: demo_quiet NAME COMMAND...
demo_quiet() {
    local name=$1
    shift
    OMERTA_HOME=$demo_work/$name demo_at "$name" "$demo_bin/omerta" "$@"
}

# Any command, on the machine of NAME: demo_at NAME COMMAND...
demo_at() {
    # shellcheck disable=SC2046 # words
    $(demo_in "$1") "${@:2}"
}

# As one would type it, with what it says, kept in said as well: demo_say NAME COMMAND...
demo_say() {
    printf '\n%s$ omerta %s\n' "$1" "${*:2}"
    demo_quiet "$@" 2>&1 </dev/null | tee "$demo_work/said"
}

# The same for one that shall fail; its exit code is in demo_code.
demo_fails() {
    demo_code=0
    # shellcheck disable=SC2034 # a demo reads it
    demo_say "$@" || demo_code=$?
}

# The same on the machine of NAME, of any program: demo_shell NAME COMMAND...
demo_shell() {
    printf '\n%s$ %s\n' "$1" "${*:2}"
    demo_at "$@" 2>&1 </dev/null | tee "$demo_work/said"
}

# Shows a command, and runs it.
demo_run() {
    printf '\n$ %s\n' "$*"
    "$@" || true
}

demo_not() {
    ! "$@" 2>/dev/null
}

# demo_check SENTENCE COMMAND...: whether COMMAND succeeds
demo_check() {
    if "${@:2}" >/dev/null; then
        demo_held=$((demo_held + 1))
        printf '  held: %s\n' "$1"
    else
        demo_failed=$((demo_failed + 1))
        printf '  FAILED: %s\n' "$1"
    fi
}

# The port of the newest forward of NAME: demo_number NAME listen
demo_number() {
    demo_quiet "$1" forward list --json |
        sed -n "s/.*\"$2\": \"[^\"]*:\([0-9]*\)\".*/\1/p" | tail -n 1
}

# Python's web server for FOLDER at ADDRESS, on a free port: demo_port
demo_web() {
    local log=$demo_work/web-${1##*/}-$2.log
    # shellcheck disable=SC2046 # words
    $(demo_in "${demo_host:-}") python3 -u -m http.server --bind "$2" \
        --directory "$1" "${3:-0}" >"$log" 2>&1 </dev/null &
    demo_pids+=($!)
    demo_until grep -q 'Serving HTTP' "$log" || demo_fail "the web server does not start"
    # shellcheck disable=SC2034 # a demo reads it
    demo_port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$log")
}

# What runs a command inside host $1, where a demo has made hosts; else nothing.
demo_in() {
    if [ -n "$1" ] && [ -n "${OMERTA_DEMO_INSIDE:-}" ]; then
        echo "ip netns exec $1"
    fi
}

# A daemon on a free port, once it answers: demo_daemon NAME FLAG...
demo_daemon() {
    demo_meshd "$1" --port 0 --no-lan --no-portmap "${@:2}"
}

# The same with these flags alone: demo_meshd NAME FLAG...
demo_meshd() {
    local name=$1
    shift
    # shellcheck disable=SC2046 # words
    $(demo_in "$name") "$demo_bin/omerta-meshd" --home "$demo_work/$name" --name "$name" \
        "$@" 2>>"$demo_work/$name.log" </dev/null &
    demo_pids+=($!)
    demo_until demo_quiet "$name" status || demo_fail "the daemon of $name does not answer"
}

# ann and ben, who know each other by name.
demo_pair() {
    local id port
    demo_daemon ann
    id=$("$demo_bin/omerta-meshd" key --home "$demo_work/ann" | awk '{ print $2 }')
    port=$(demo_quiet ann status --json | sed -n 's/.*"port": \([0-9]*\).*/\1/p')
    demo_daemon ben --bootstrap "$id@127.0.0.1:$port"
    demo_until demo_quiet ben ping ann -c 1 || demo_fail "ben does not reach ann"
    demo_until demo_quiet ann ping ben -c 1 || demo_fail "ann does not reach ben"
}

demo_end() {
    printf '\n%d checks held, %d failed\n' "$demo_held" "$demo_failed"
    [ "$demo_failed" -eq 0 ]
}
