#!/bin/bash
# How fast the tunnels are: `omerta forward` and `omerta proxy` beside raw veth and beside rivals of
# Debian, which need root; with UDP segmentation offload and without. See tunnel.py for the options.
#
# usage: tests/bench/tunnel.sh [--no-install] [OPTION...]
#
# Programs of ours come from OMERTA_BIN, else build/dev/bin. OM_WIREGUARD_GO names a newer
# wireguard-go than Debian's. A rival that is missing ends the run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/setup.sh

if [ "${1:-}" = --no-install ]; then
    shift
else
    rivals=(wireguard-go wireguard-tools nebula fastd yggdrasil slirp4netns passt iperf3 ethtool
        curl iproute2)
    if ! dpkg-query -W -f '${db:Status-Status}\n' "${rivals[@]}" 2>/dev/null |
        awk '$1 != "installed" { bad = 1 } END { exit bad || NR != '"${#rivals[@]}"' }'; then
        om_step "rivals" om_apt install --no-install-recommends "${rivals[@]}"
    fi
fi
mkdir -p build
exec tests/lab/run.sh python3 tests/bench/tunnel.py "$@"
