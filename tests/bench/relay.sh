#!/bin/bash
# What a relay's forwarding costs beside a plain forwarder of UDP; see relay.py for the options.
#
# usage: tests/bench/relay.sh [OPTION...]
#
# Programs come from OMERTA_BIN, else build/dev/bin.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build
exec tests/lab/run.sh /usr/bin/python3 tests/bench/relay.py "$@"
