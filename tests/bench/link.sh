#!/bin/bash
# How fast a link is: iperf3 through a TUN, our stack and the mesh; see link.py for the options.
#
# usage: tests/bench/link.sh [OPTION...]
#
# Programs come from OMERTA_BIN, else build/dev/bin.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec tests/lab/run.sh /usr/bin/python3 tests/bench/link.py "$@"
