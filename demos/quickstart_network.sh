# shellcheck shell=bash disable=SC2154 # what it reads is set where it is sourced
# quickstart_network.sh - the network of hub's: made, joined by links, talked in, and left
#
# Sourced after demo.sh and quickstart_stages.sh, in the folder $demo_work, once the daemons of hub,
# ann and ben run and know nobody.

# FLAG... is for the invitations: where hub is found, if its daemon cannot know.
quick_network() {
    quick_stage "A network"
    printf 'hub makes a closed one. Two links of an invitation each, and two who follow them:\n'
    demo_say hub network create --name team --as hub | sed '/^warning/,$d'
    demo_quiet hub network invite team --role provider "$@" >ann.link
    demo_quiet hub network invite team "$@" >ben.link
    printf '\nhub$ omerta network invite --role provider\n%.48s...\n' "$(cat ann.link)"
    demo_say ann network join --file ann.link --name team --as ann
    demo_fails ben network join --file ann.link --name team
    demo_check "a link that was used is good for nobody else" grep -q 'used' said
    demo_say ben network join --file ben.link --name team --as ben
    demo_check "with his own ben is in" grep -q '^in network "team"' said
}

# Do all three stand in what NAME knows of the members?
quick_sees_all() {
    test "$(demo_quiet "$1" network members | grep -Ec '^(hub|ann|ben) ')" -eq 3
}

quick_members() {
    local name
    demo_until quick_sees_all ben || true
    demo_say ben network members
    for name in hub ann ben; do
        demo_check "$name sees all three members" demo_until quick_sees_all $name
    done
}

quick_message() {
    demo_say ben message ann "hello from ben" --wait || true
    demo_say ann message --list
    demo_check "a message arrived" grep -q 'hello from ben' said
}

quick_leave() {
    local name
    quick_stage "Nothing is left"
    for name in ben ann hub; do
        demo_say $name down --purge --yes | sed -n '1,2p;/^removed/p'
        demo_check "$name's daemon and all of its files are gone" \
            demo_not test -e "$demo_work/$name"
    done
}
