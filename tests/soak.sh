#!/bin/bash
# soak.sh - half an hour of streams and virtual machines under faults; see --help for the options
#
# Programs come from OMERTA_BIN, else build/dev/bin; the image of the machines is made once, in
# OMERTA_VM_CACHE, else beside the programs. Root, or unprivileged in namespaces of its own. Exit 0
# when all holds, 1 with what does not, 77 where it cannot run.
set -euo pipefail
cd "$(dirname "$0")/.."
OMERTA_BIN=$(realpath -m "${OMERTA_BIN:-build/dev/bin}")
export OMERTA_BIN OMERTA_VM_CACHE="${OMERTA_VM_CACHE:-${OMERTA_BIN%/*}/tests/vm}"
python=/usr/bin/python3 # Debian's own has Debian's pytest, whose fixtures are used
[ -x "$python" ] || python=python3
export PYTHONDONTWRITEBYTECODE=1
exec tests/lab/run.sh "$python" tests/soak/soak.py "$@"
