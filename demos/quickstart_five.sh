#!/bin/bash
# quickstart_five.sh WORK BIN MACHINE - the quickstart on five machines; started by quickstart.sh
#
# Runs as the first process of namespaces of its own, with a folder that quickstart.sh removes. In a
# closed network that hub made, ben and ann meet behind their NATs; then, with MACHINE "yes", ann
# lends ben a virtual machine.
set -euo pipefail
demo_name=quickstart.sh demo_work=$1 demo_bin=$2 demo_held=0 demo_failed=0 demo_pids=()
machine=$3
cd "$(dirname "$0")/.."
# shellcheck source=demos/demo.sh
. demos/demo.sh
# shellcheck source=demos/quickstart_stages.sh
. demos/quickstart_stages.sh
# shellcheck source=demos/quickstart_hosts.sh
. demos/quickstart_hosts.sh
# shellcheck source=demos/quickstart_network.sh
. demos/quickstart_network.sh
# shellcheck source=demos/quickstart_machine.sh
. demos/quickstart_machine.sh
cd "$demo_work"
umask 077
trap 'demo_fail "this failed: $BASH_COMMAND"' ERR
mount -t tmpfs tmpfs /run # where ip keeps the names of namespaces

quick_stage "Five machines"
printf 'Two homes and a machine that all can reach, out of network namespaces, with routers as\n'
printf 'homes and carriers have them. Daemons, commands and NATs are real:\n'
hosts_all
hosts_picture
mkdir nas
echo 'a page of the household' >nas/index.html
demo_host=nas demo_web "$demo_work/nas" 192.168.2.3 80
demo_check "ann's machine reads her household's page" \
    demo_at ann curl -sSf -m 10 -o page http://192.168.2.3/
demo_check "from ben's there is no way to it" \
    demo_not demo_at ben curl -sSf -m 2 -o page http://192.168.2.3/
demo_check "nor to ann's router" demo_not demo_at ben curl -sSf -m 2 -o page http://100.64.0.2/
demo_meshd hub --relay
demo_meshd ann
demo_meshd ben
printf '\nThree daemons run: omerta-meshd, at hub with --relay. ben and ann know nobody yet.\n'

# shellcheck disable=SC2119 # here hub knows where it is found
quick_network
quick_members

quick_stage "Over the relay, then directly"
printf 'Neither router lets strangers in. hub carries what it cannot read, until both routers are\n'
printf 'open for each other:\n'
demo_until demo_quiet ben ping ann -c 1 || demo_fail "ben does not reach ann"
demo_say ben ping ann -c 10 -i 0.3 || true
is_direct() {
    demo_quiet "$1" why "$2" --json | grep -q '"relayed": false'
}
demo_check "ben reaches ann directly" demo_until is_direct ben ann
demo_check "ann reaches ben directly" demo_until is_direct ann ben
demo_say ben why ann
# As the event logs have it: what `why` says of a way is the newest attempt.
is_logged() {
    grep -q "\"event\":\"$1\"" "${@:2}"
}
demo_check "it began over hub" demo_until is_logged lane_up ben/logs/events.jsonl
demo_check "both routers were opened for each other" \
    demo_until is_logged punched ben/logs/events.jsonl ann/logs/events.jsonl
demo_say ann peers
demo_say hub peers
demo_check "hub knows ann by her carrier's address, and no other" \
    grep -Eq ' ann .* 11\.0\.0\.2:' said

quick_stage "A router that maps a port"
if command -v miniupnpd >/dev/null; then
    printf 'ben switches UPnP on in his router and starts his daemon anew, so that strangers\n'
    printf 'reach him:\n'
    hosts_upnp
    demo_say ben down
    demo_meshd ben
    is_held() {
        demo_quiet ben netcheck | grep -Eq '^port mapping +held'
    }
    demo_until is_held || true
    demo_say ben netcheck
    demo_check "ben is told so" grep -Eq '^port mapping +held' said
    demo_shell router nft list chain inet miniupnpd mapping
    demo_check "and the router has it" grep -q 'dnat.* 192\.168\.1\.2:18002' said
    demo_until demo_quiet ann ping ben -c 1 || demo_fail "ann does not reach ben"
    demo_check "ann reaches ben at the router's address" demo_until is_direct ann ben
    demo_say ann why ben
else
    quick_lack "a port that the router maps" "miniupnpd is missing"
fi

quick_message
if [ "$machine" = yes ]; then
    quick_lan=("192.168.2.3 80 her household's page" "192.168.2.2 hers her own machine")
    quick_machine
    grep GET web-nas-192.168.2.3.log >seen
    demo_check "its machine has answered nobody but ann" demo_not grep -qv '^192\.168\.2\.2 ' seen
fi

quick_leave
if command -v miniupnpd >/dev/null; then
    demo_check "the router maps nothing any more" \
        demo_not sh -c "ip netns exec router nft list chain inet miniupnpd mapping | grep dnat"
fi
quick_end
touch ended
