#!/bin/bash
# quickstart.sh - the one command: install, build, and let two nodes meet
#
# Today the two nodes live in the simulator; the trace shows the session they made.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/setup.sh

usage() {
    cat <<'END'
usage: demos/quickstart.sh [--no-install] [--built BUILD_DIR]

  --no-install       install nothing; fail where something is missing
  --built BUILD_DIR  use this build: install nothing and build nothing
  --help             this text

Exit: 0 the session came about and every check of the scenario held, 1 not, 2 wrong usage.
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
sim=$built/bin/omerta-sim scenario=demos/quickstart.scn
for file in "$sim" "$scenario"; do
    if [ ! -f "$file" ]; then
        echo "quickstart.sh: $file is missing" >&2
        exit 1
    fi
done
if ! "$sim" "$scenario"; then
    echo "quickstart.sh: a check of $scenario did not hold" >&2
    exit 1
fi
