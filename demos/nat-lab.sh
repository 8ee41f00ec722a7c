#!/bin/bash
# nat-lab.sh - real daemons behind real NATs, pair by pair, beside what the simulator says of them
#
# Homes out of network namespaces, each behind a router of another kind, two relays between them.
# Nothing outside of these namespaces hears of it; as an ordinary user it runs in a user namespace.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/setup.sh
. tests/setup.sh

targets="omerta omerta-meshd omerta-matrix omerta-lab-wire"
# One whose ports anybody may tell, two of carriers, one that lets no UDP out.
kinds=masq,stride,blk512,noudp

usage() {
    cat <<'END'
usage: demos/nat-lab.sh [OPTION...]

Prints a table: each pair of kinds of NAT, what the simulator says of two nodes behind them, and
what two real daemons did.

  --kinds A,B,...    pairs of these kinds (default: masq,stride,blk512,noudp)
  --all              pairs of all 14 kinds, 105 of them: some 10 minutes
  --spread           14 pairs, each of the 14 kinds in two: some 40 s
  --list             names the kinds, each with its box in the simulator's words
  --no-install       install nothing; fail where something is missing
  --built BUILD_DIR  use this build: install nothing and build nothing
  --help             this text

Exit: 0 both agree on every pair, 1 not, 2 wrong usage, 77 it cannot be shown on this machine.
END
}

wrong() {
    echo "nat-lab.sh: $1 (--help lists the options)" >&2
    exit 2
}

install=yes built="" list=no spread=""
while [ $# -gt 0 ]; do
    case $1 in
    --kinds | --built)
        [ $# -ge 2 ] || wrong "$1 wants a word behind it"
        if [ "$1" = --kinds ]; then kinds=$2; else built=$2; fi
        shift
        ;;
    --all) kinds="" ;;
    --spread) kinds="" spread=$1 ;;
    --list) list=yes ;;
    --no-install) install=no ;;
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
    if [ "$install" = yes ]; then om_install all; else om_name_missing all; fi
    om_build dev "$targets"
    echo
fi
OMERTA_BIN=$(realpath "$built")/bin
export OMERTA_BIN PYTHONDONTWRITEBYTECODE=1
for program in $targets; do
    if [ ! -x "$OMERTA_BIN/$program" ]; then
        echo "nat-lab.sh: $OMERTA_BIN/$program is missing" >&2
        exit 1
    fi
done
if [ $list = yes ]; then
    exec "$OMERTA_BIN/omerta-matrix" --kinds
fi
PATH=$PATH:/usr/sbin:/sbin
# Debian's own: another python3 that comes first in PATH does not have Debian's pytest.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import pytest' 2>/dev/null; then
    echo "skipped: python3-pytest is missing"
    exit 77
fi
exec tests/lab/run.sh "$python" tests/lab/matrix.py -v ${kinds:+--kinds "$kinds"} \
    ${spread:+"$spread"}
