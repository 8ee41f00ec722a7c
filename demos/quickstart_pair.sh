# shellcheck shell=bash disable=SC2154 # what it reads is set where it is sourced
# quickstart_pair.sh - the quickstart with three nodes on this machine's own addresses
#
# Sourced by quickstart.sh where no namespaces can be made: the story of quickstart_five.sh without
# what is between the machines, each part of which it says it left out. hub makes a closed network,
# ann and ben follow its links, and with $machine "yes" ann lends ben a virtual machine. The daemons
# neither look for others in the LAN nor ask the router for a port: this is nobody's test network.
# shellcheck source=demos/quickstart_network.sh
. demos/quickstart_network.sh
# shellcheck source=demos/quickstart_machine.sh
. demos/quickstart_machine.sh
cd "$demo_work" || exit
umask 077
trap 'demo_fail "this failed: $BASH_COMMAND"' ERR
quick_leave_out "from the relay to a direct way" "no router is between them that has to be opened"
quick_leave_out "a port that the router maps" "no router is between them"
quick_leave_out "the bystander in ann's LAN" "there is no LAN of hers"

quick_stage "Three nodes"
printf 'Three homes, three daemons, and this machine'\''s loopback between them:\n'
demo_daemon hub --relay
demo_daemon ann
demo_daemon ben
demo_check "ben knows nobody yet" demo_not demo_quiet ben ping ann -c 1
printf '\nomerta-meshd runs three times, at hub with --relay.\n'

# The loopback is told to nobody as an address: the links have to name it.
port=$(demo_quiet hub status --json | sed -n 's/.*"port": \([0-9]*\).*/\1/p')
quick_network --at "127.0.0.1:$port"
quick_members

quick_stage "From one to the other"
demo_until demo_quiet ben ping ann -c 1 || demo_fail "ben does not reach ann"
demo_say ben ping ann -c 3 -i 0.2 || true
demo_check "ann answers ben" grep -q '^3 sent, 3 answered' said
demo_say ben peers
demo_check "ben knows ann by her name" grep -q ' ann ' said
quick_message
if [ "$machine" = yes ]; then
    # What is at stake: a page of ann's, at all of her addresses.
    quick_lan=()
    for address in $(hostname -I); do # ip may be what is missing
        [[ $address == *:* ]] || quick_lan+=("$address hers ann's host")
    done
    quick_machine
fi

quick_leave
demo_stop
quick_end
touch ended
