#!/bin/bash
# quickstart.sh - the one command: install, build, and lend a machine from one home to another
#
# Five machines in network namespaces: ben at home, ann at home behind her carrier's NAT as well,
# a bystander beside her, ben's router, and a public machine. Real daemons, the real command line.
# They make a network, meet over the relay and then directly; ann lends ben a virtual machine, he
# works in it, it tries to get out, and it is gone. quickstart_five.sh tells the first half and
# quickstart_machine.sh the second. All of it is inside namespaces of its own, so that whatever ends
# this script ends everything. Where they cannot be made the story is that of quickstart_pair.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=demos/demo.sh
. demos/demo.sh
# shellcheck source=demos/quickstart_stages.sh
. demos/quickstart_stages.sh

# shellcheck disable=SC2034 # the usage shows it
demo_more='  --no-vm            the network alone, without a virtual machine
  --loopback         three nodes on this machine, without NATs between them
                     (so as well where nobody may make namespaces)'
# shellcheck disable=SC2034 # likewise
demo_less='all that
this machine can show held, and the end says what it cannot (Left out: ...)'
machine=yes hosts=five inside="" why=""
words=()
for word in "$@"; do
    case $word in
    --no-vm) machine=no ;;
    --loopback) hosts=pair ;;
    *) words+=("$word") ;;
    esac
done
begun=$EPOCHREALTIME
demo_begin ${words[0]+"${words[@]}"}
quick_note "install and build" "$begun"

# What runs a command in namespaces of its own; without root in one of users as well.
own=(unshare -nmp --fork --kill-child --mount-proc --propagation private)

# Fills own; or says in $why what there cannot be five machines for.
find_namespaces() {
    local program
    for program in unshare setpriv ip nft; do
        if ! command -v "$program" >/dev/null; then
            why="$program is missing"
            return 1
        fi
    done
    if try_namespaces 2>/dev/null; then
        return 0
    fi
    own+=(-Ur)
    if ! why=$(try_namespaces 2>&1); then
        why="no namespaces can be made: $why"
        return 1
    fi
}

# A machine, and a NAT on it.
try_namespaces() {
    "${own[@]}" sh -c 'mount -t tmpfs tmpfs /run && ip netns add one && ip netns exec one nft "
        table ip nat { chain post { type nat hook postrouting priority srcnat; masquerade; }; }"'
}

# Can a machine run here? Else $why says why not.
can_run_machines() {
    local program
    if [ "$(uname -m)" != x86_64 ]; then
        why="the images are for x86_64, this is $(uname -m)"
        return 1
    fi
    for program in qemu-system-x86_64 qemu-img lz4 flock dpkg-deb python3 ssh; do
        if ! command -v $program >/dev/null; then
            why="$program is missing"
            return 1
        fi
    done
}

# The small image, made once and kept beside the build with the packages that it is made of.
make_image() {
    local cache start=$EPOCHREALTIME
    cache=$(realpath -m "${OMERTA_VM_CACHE:-$(dirname "$demo_bin")/tests/vm}")/service
    printf 'What machines run is put together from packages of Debian, fetched once:\n'
    if ! vm/image/build.sh --cache "$cache"; then
        if tests/vm/mirror.sh >"$demo_work/mirror.txt" 2>&1; then
            demo_fail "the image was not made"
        fi
        why="no mirror of Debian's answers"
        return 1
    fi
    ln -s "$cache/mini" "$demo_work/ann/images/mini"
    quick_note "image" "$start"
}

# Ends the namespaces, and with them all that is in them.
end_inside() {
    if [ -n "$inside" ]; then
        kill -KILL "$inside" 2>/dev/null || true
        wait "$inside" 2>/dev/null || true
        inside=""
        demo_until demo_not quick_is_told "$demo_work" || true
    fi
    demo_finish
}
trap end_inside EXIT

(umask 077 && mkdir -p "$demo_work/ann/images")
if [ $machine = no ]; then
    quick_leave_out "the virtual machine and the job in one" "--no-vm was given"
elif ! { can_run_machines && make_image; }; then
    quick_lack "the virtual machine and the job in one" "$why"
    machine=no
fi
if [ $hosts = pair ]; then
    quick_leave_out "the NATs between the machines" "--loopback was given"
elif ! find_namespaces; then
    quick_lack "the NATs between the machines" "$why"
    hosts=pair
fi

if [ $hosts = five ]; then
    OMERTA_DEMO_INSIDE=1 setpriv --pdeathsig KILL -- "${own[@]}" \
        demos/quickstart_five.sh "$demo_work" "$demo_bin" $machine &
    inside=$!
    demo_until quick_is_told "$demo_work" || demo_fail "what runs here is not seen in /proc"
    wait "$inside" || true
    inside=""
else
    # shellcheck source=demos/quickstart_pair.sh
    . demos/quickstart_pair.sh
fi
# What ended before its end has said why.
[ -e "$demo_work/ended" ] || exit 1

demo_check "no process of all this runs" demo_until demo_not quick_is_told "$demo_work"
quick_table
[ ! -e "$demo_work/left_out" ] || cat "$demo_work/left_out"
quick_all_held || exit 1
printf 'Yours, now: %s up\n' "$demo_bin/omerta"
[ ! -e "$demo_work/lacks" ] || exit 77
