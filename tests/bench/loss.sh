#!/bin/bash
# How much one TCP stream carries over a path with delay and loss: through `omerta forward`, and
# beside it the kernel's CUBIC and BBR. See loss.py for the options.
#
# usage: tests/bench/loss.sh [OPTION...]
#
# Programs of ours come from OMERTA_BIN, else build/dev/bin. Exit 77 where the kernel has no BBR.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build
exec tests/lab/run.sh python3 tests/bench/loss.py "$@"
