#!/bin/bash
# health-runner.sh - omerta-health between two hosts of a lab: faults, delays, loads, and a report
#
# Builds, lays out ann behind a NAT, ben behind a bad cable and a relay in network namespaces
# (health-runner/lab.py), and runs every phase. Exit 77 where no namespaces can be made.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demos/demo.sh
. demos/demo.sh

# shellcheck disable=SC2034 # the usage shows it
demo_more='  --quick            each phase for less time
  --phase N,...      only these (omerta-health --list)
  --json FILE        the report, with each probe
  --html FILE        the report as one page with plots
  --slack MS         so much more is allowed of every time, where the machine is busy
  --no-skip          a phase that is skipped is as bad as one that failed'
mine=() theirs=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick | --no-skip) mine+=("$1") ;;
    --phase | --json | --html | --slack)
        [ $# -ge 2 ] || { echo "health-runner.sh: $1 wants a value" >&2 && exit 2; }
        value=$2
        case $1 in --json | --html) value=$(realpath -m "$2") ;; esac
        mine+=("$1" "$value")
        shift
        ;;
    --built)
        theirs+=("$1" ${2+"$2"})
        shift
        ;;
    *) theirs+=("$1") ;;
    esac
    [ $# -eq 0 ] || shift
done
demo_targets="omerta omerta-meshd omerta-health wire"
demo_begin ${theirs[0]+"${theirs[@]}"}
trap - EXIT INT TERM
rm -rf "$demo_work"
python=/usr/bin/python3
[ -x "$python" ] || python=python3
OMERTA_BIN=$demo_bin exec tests/lab/run.sh "$python" demos/health-runner/lab.py \
    ${mine[0]+"${mine[@]}"}
