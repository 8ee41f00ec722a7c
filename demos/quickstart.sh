#!/bin/bash
# quickstart.sh - the one command: install, build, and let two daemons meet and talk
#
# Two homes in a folder of their own, two real daemons on the loopback, the real command line.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/setup.sh

usage() {
    cat <<'END'
usage: demos/quickstart.sh [--no-install] [--built BUILD_DIR]

  --no-install       install nothing; fail where something is missing
  --built BUILD_DIR  use this build: install nothing and build nothing
  --help             this text

Exit: 0 the daemons met and every check held, 1 not, 2 wrong usage.
END
}

wrong() {
    echo "quickstart.sh: $1 (--help lists the options)" >&2
    exit 2
}

install=yes built=""
while [ $# -gt 0 ]; do
    case $1 in
    --no-install) install=no ;;
    --built)
        [ $# -ge 2 ] || wrong "--built wants the build's folder"
        built=$2
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) wrong "unknown option \"$1\"" ;;
    esac
    shift
done

if [ -z "$built" ]; then
    built=build/dev
    if [ "$install" = yes ]; then
        om_install all
    fi
    om_build dev
    echo
fi
bin=$(realpath "$built")/bin
for program in omerta omerta-meshd; do
    if [ ! -x "$bin/$program" ]; then
        echo "quickstart.sh: $bin/$program is missing" >&2
        exit 1
    fi
done

work=$(mktemp -d)
pids=()
# Only what was started here is ended, by its number.
finish() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Shows a command as one would type it, and runs it: say NAME COMMAND...
say() {
    local name=$1
    shift
    printf '\n%s$ omerta %s\n' "$name" "$*"
    OMERTA_HOME=$work/$name "$bin/omerta" "$@"
}

fail() {
    echo "quickstart.sh: $1" >&2
    cat "$work"/*.log >&2
    exit 1
}

# Starts a daemon on a free port and waits until it answers: begin NAME FLAG...
begin() {
    local name=$1
    shift
    "$bin/omerta-meshd" --home "$work/$name" --port 0 --name "$name" --no-lan "$@" \
        2>"$work/$name.log" </dev/null &
    pids+=($!)
    for _ in $(seq 100); do
        if OMERTA_HOME=$work/$name "$bin/omerta" status --json >/dev/null 2>&1; then
            return 0
        fi
        read -rt 0.05 <> <(:) || true
    done
    fail "the daemon of $name does not answer"
}

printf 'Two homes, two daemons. The second is told of the first: --bootstrap ID@ADDRESS:PORT\n'
begin ann
id=$("$bin/omerta-meshd" key --home "$work/ann" | awk '{ print $2 }')
port=$(OMERTA_HOME=$work/ann "$bin/omerta" status --json | sed -n 's/.*"port": \([0-9]*\).*/\1/p')
begin ben --bootstrap "$id@127.0.0.1:$port"

say ben status
say ben ping ann -c 3 -i 0.2 || fail "ann does not answer"
say ben peers
say ben message ann "hello from ben" --wait || fail "the message did not arrive"
say ann message --list | tee "$work/list"
grep -q 'hello from ben' "$work/list" || fail "ann has no message"
printf '\nTwo nodes met, and everything between them was encrypted. Now your own:\n'
printf '  %s up\n' "$bin/omerta"
