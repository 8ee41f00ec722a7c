#!/bin/bash
# fresh.sh - what a newcomer's machine makes of a commit: clone, quickstart, test command, timed
#
# tests/fresh.sh [COMMIT [FOLDER]]
#
# Clones COMMIT (default HEAD) into FOLDER (default: a new one), empties apt's cache of packages,
# runs demos/quickstart.sh twice and then tests/run.sh there, each alone and without anything of
# this tree's, and prints a line of each: seconds, verdict, its last words. The packages that are
# installed already stay; what the scripts say is in FOLDER.log. Takes about an hour on two cores.
#
# Exit: 0 all of them succeeded, 1 one did not, 2 wrong usage.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/setup.sh

if [ $# -gt 2 ] || [[ ${1-} == -* ]]; then
    echo "usage: tests/fresh.sh [COMMIT [FOLDER]]" >&2
    exit 2
fi
commit=$(git rev-parse --verify --quiet "${1:-HEAD}^{commit}") || {
    echo "fresh.sh: \"$1\": want a commit" >&2
    exit 2
}
folder=${2:-$(mktemp -d)/omerta}
if [ -e "$folder" ]; then
    echo "fresh.sh: $folder is there: want a new folder" >&2
    exit 2
fi
git clone -q --no-local . "$folder"
git -C "$folder" checkout -q --detach "$commit"
om_as_root apt-get clean
echo "$commit in $folder, log $folder.log"

failed=0
# stage NAME COMMAND... - one line: what it took, and how it ended
stage() {
    local name=$1 start=$EPOCHREALTIME verdict=held
    shift
    echo "== $name" >>"$folder.log"
    (cd "$folder" && env -u OMERTA_BIN -u OMERTA_HOME -u OMERTA_VM_CACHE "$@") \
        >>"$folder.log" 2>&1 </dev/null || verdict=FAILED
    [ $verdict = held ] || failed=1
    printf '%-18s %8s s  %-6s  %s\n' "$name" "$(om_elapsed "$start" | tr -d ' s')" $verdict \
        "$(tail -n 1 "$folder.log")"
}
: >"$folder.log"
stage quickstart demos/quickstart.sh
stage "quickstart again" demos/quickstart.sh
stage tests tests/run.sh
[ $failed -eq 0 ]
