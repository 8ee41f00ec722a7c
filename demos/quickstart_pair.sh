# shellcheck shell=bash disable=SC2154 # what it reads is set where it is sourced
# quickstart_pair.sh - the quickstart with two nodes on this machine's own addresses
#
# Sourced by quickstart.sh where no namespaces can be made: ann and ben meet without a NAT between
# them, and with $machine "yes" ann lends ben a virtual machine.
# shellcheck source=demos/quickstart_machine.sh
. demos/quickstart_machine.sh
cd "$demo_work" || exit

quick_stage "Two nodes"
printf 'Two homes, two daemons. The second is told of the first: --bootstrap ID@ADDRESS:PORT\n'
demo_pair
demo_say ben ping ann -c 3 -i 0.2
demo_check "ann answers ben" demo_quiet ben ping ann -c 1
demo_say ben peers
demo_check "ben knows ann by her name" grep -q ann said
demo_say ben message ann "hello from ben" --wait || true
demo_say ann message --list
demo_check "a message arrived" grep -q 'hello from ben' said
if [ "$machine" = yes ]; then
    # What is at stake: a page of ann's, at all of her addresses.
    quick_lan=()
    for address in $(ip -4 -o address show scope global |
        sed -n 's/.* inet \([0-9.]*\).*/\1/p'); do
        quick_lan+=("$address hers ann's host")
    done
    quick_machine
fi

quick_stage "Nothing is left"
for name in ben ann; do
    demo_say $name down --purge --yes | sed -n '1,2p;/^removed/p'
    demo_check "$name's daemon and all of its files are gone" demo_not test -e "$demo_work/$name"
done
demo_stop
quick_end
touch ended
