#!/bin/sh
# Node to node over a veth pair between two network namespaces, beside bare UDP in the same run;
# once more with the kernel cutting every run of datagrams, as a card without offload does.
#
# usage: tests/bench/wire.sh [SECONDS]
#
# Programs come from OMERTA_BIN, else build/dev/bin. Where namespaces cannot be made, over loopback;
# without ethtool only with offload; either is said.
set -eu

cd "$(dirname "$0")/../.."
bin=${OMERTA_BIN:-build/dev/bin}
seconds=${1:-3}
if [ -z "${OM_WIRE_INSIDE:-}" ]; then
    if unshare -Urnm true 2>/dev/null; then
        OM_WIRE_INSIDE=1 exec unshare -Urnm "tests/bench/wire.sh" "$seconds"
    fi
    echo "no namespaces here: over loopback" >&2
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# measure NAME: both programs, and what they found.
measure() {
    : >"$out/receive"
    $there "$bin/omerta-wire-bench" receive "$seconds" "$ip" >"$out/receive" &
    receiver=$!
    until [ -s "$out/receive" ]; do
        kill -0 "$receiver"
        sleep 0.05
    done
    "$bin/omerta-wire-bench" send "$seconds" "$ip" >"$out/send"
    wait "$receiver"
    python3 tests/bench/wire.py "$1" "$out/send" "$out/receive"
}

if [ -z "${OM_WIRE_INSIDE:-}" ]; then
    ip=127.0.0.1 there=
    measure loopback
    exit
fi
ip=10.9.0.2
ip link set lo up
unshare -n sleep 3600 &
other=$!
trap 'kill $other; rm -rf "$out"' EXIT
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
there="nsenter -t $other -n"
ip link add v0 type veth peer name v1
ip link set v1 netns "$other"
ip address add 10.9.0.1/24 dev v0
ip link set v0 up
$there ip address add $ip/24 dev v1
$there ip link set v1 up
measure veth
PATH=$PATH:/usr/sbin:/sbin
if ! command -v ethtool >/dev/null; then
    echo "no ethtool here: not measured without offload" >&2
    exit
fi
ethtool -K v0 tx-udp-segmentation off >/dev/null
$there ethtool -K v1 tx-udp-segmentation off >/dev/null
measure "veth, no offload"
