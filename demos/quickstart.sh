#!/bin/bash
# quickstart.sh - the one command: install, build, and lend a machine from one node to another
#
# ann and ben are two homes in a folder of their own, two real daemons on this machine's addresses,
# the real command line. They meet and talk; then ann lends ben a virtual machine, he works in it,
# it tries to get out, and it is gone. Where QEMU or Debian's mirror is missing all but that is
# shown, and the exit code is 77.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demos/demo.sh
. demos/demo.sh

# shellcheck disable=SC2034 # the usage shows it
demo_more='  --no-vm            two nodes that meet and talk, without a virtual machine'
machine=yes
words=()
for word in "$@"; do
    if [ "$word" = --no-vm ]; then machine=no; else words+=("$word"); fi
done
demo_begin ${words[0]+"${words[@]}"}

# ---- two nodes ----

printf 'Two homes, two daemons. The second is told of the first: --bootstrap ID@ADDRESS:PORT\n'
demo_pair
demo_say ben ping ann -c 3 -i 0.2
demo_check "ann answers ben" demo_quiet ben ping ann -c 1
demo_say ben peers
demo_check "ben knows ann by her name" grep -q ann "$demo_work/said"
demo_say ben message ann "hello from ben" --wait || true
demo_say ann message --list
demo_check "the message arrived" grep -q 'hello from ben' "$demo_work/said"
if [ $machine = no ]; then
    demo_end
    exit
fi

# ---- a machine ----

# The rest cannot be shown, for the reason $1.
without() {
    printf '\nNo virtual machine: %s.\n' "$1"
    demo_end || exit 1
    exit 77
}

[ "$(uname -m)" = x86_64 ] || without "the images are for x86_64, this is $(uname -m)"
for program in qemu-system-x86_64 qemu-img lz4 flock dpkg-deb python3 ssh ip; do
    PATH=$PATH:/usr/sbin:/sbin command -v $program >/dev/null || without "$program is missing"
done

# Packages of images are kept beside the build, so that they are fetched once.
cache=$(realpath -m "${OMERTA_VM_CACHE:-$(dirname "$demo_bin")/tests/vm}")/service
mkdir -p "$cache"
ln -s "$cache" "$demo_work/ann/images/.cache"
printf '\nann makes what machines run, out of packages of Debian (fetched once), and lends:\n'
if ! demo_say ann image build; then
    tests/vm/mirror.sh >"$demo_work/mirror.txt" 2>&1 || without "no mirror of Debian's answers"
    demo_fail "the image was not made"
fi
demo_say ann provide on --vms 2 --cpu 2 --memory 1G --disk 2G --to ben
offered() {
    demo_quiet ben providers --json | grep -q '"mini"'
}
demo_until offered || true
demo_say ben providers
demo_check "ben sees that ann lends, and on what machines would run" \
    grep -Eq 'ann +(kvm|tcg) ' "$demo_work/said"

# What is at stake: a page of the provider's at all of her addresses, and two of ben's.
mkdir "$demo_work/hers" "$demo_work/his" "$demo_work/private"
echo 'a page of ann' >"$demo_work/hers/index.html"
echo 'a page of ben, for his machine' >"$demo_work/his/index.html"
echo 'a page of ben, for himself' >"$demo_work/private/index.html"
demo_web "$demo_work/hers" 0.0.0.0
hers=$demo_port
demo_web "$demo_work/his" 127.0.0.1
his=$demo_port
demo_web "$demo_work/private" 127.0.0.2
private=$demo_port

# Is there a process that was told of ann's folder of machines? (No word of ours here is.)
has_process() {
    grep -qszaF -f "$demo_work/folder" /proc/[0-9]*/cmdline
}

printf '\nben asks for one, which may reach port %s of his, and nothing else:\n' "$his"
demo_say ben vm request --provider ann --name lab --memory 192M --disk 256M --expose "$his" \
    --wait || demo_fail "there is no machine"
demo_check "it runs" grep -q 'running' "$demo_work/said"
echo "$demo_work/ann/vms/" >"$demo_work/folder"
demo_check "as a process of ann's, in a folder of hers" has_process
demo_say ben vm ssh lab uname -a || true
demo_check "a command by SSH, through the mesh, into a kernel of its own" \
    grep -q '^Linux vm-' "$demo_work/said"
demo_check "that kernel is not this one" demo_not grep -qF "$(uname -r)" "$demo_work/said"
head -c 1000000 /dev/urandom >"$demo_work/file"
demo_say ben vm cp "$demo_work/file" lab: || true
hash=$(sha256sum <"$demo_work/file")
demo_check "a file is there as it was here" \
    test "$(demo_quiet ben vm ssh lab 'sha256sum <file' </dev/null)" = "$hash"

printf '\nFrom inside, as root: a port of its consumer, and then whatever else there is.\n'
gateway=$(demo_quiet ben vm ssh lab "ip route" </dev/null |
    sed -n 's/^default via \([0-9.]*\).*/\1/p')
demo_say ben vm ssh lab "wget -q -O - http://$gateway:$his/" || true
demo_check "it reaches the port that ben exposed" grep -q 'for his machine' "$demo_work/said"
# What both can try: here to show that it is there, in the machine to show that it is not.
tried() {
    demo_fails ben vm ssh lab "$1 2>&1"
    demo_check "$2: nothing" test "$demo_code" -ne 0
    demo_check "and no page came" demo_not grep -q 'a page of' "$demo_work/said"
}
tried "wget -q -O - http://$gateway:$private/" "another port of ben's"
demo_check "which is there (control)" curl -sSf -o "$demo_work/page" "http://127.0.0.2:$private/"
tried "wget -q -O - http://$gateway:$hers/" "the provider's port at the gateway"
addresses=$(PATH=$PATH:/usr/sbin:/sbin ip -4 -o address show scope global |
    sed -n 's/.* inet \([0-9.]*\).*/\1/p')
for address in $addresses; do
    tried "wget -q -O - http://$address:$hers/" "the provider's host at $address"
    demo_check "which is there (control)" \
        curl -sSf --noproxy '*' -o "$demo_work/page" "http://$address:$hers/"
done
router=$(PATH=$PATH:/usr/sbin:/sbin ip -4 route show default |
    sed -n 's/^default via \([0-9.]*\).*/\1/p' | head -n 1)
for port in ${router:+53 80 443}; do
    tried "nc -w 5 $router $port </dev/null" "the provider's LAN, $router port $port"
done
tried "wget -q -O - http://169.254.169.254/" "a cloud's metadata"
tried "nslookup -timeout=2 deb.debian.org" "names of the internet, which nobody asked for"
tried "ip address add 192.0.2.99/32 dev eth0; ping -c 3 -W 1 -I 192.0.2.99 $gateway" \
    "a packet under another address"
demo_say ann vm traffic | sed '/^$/,$d' || true
demo_check "ann has counted what was forged" grep -Eq '^refused +[1-9]' "$demo_work/said"

printf '\nA job: a machine of its own, which lives as long as the command.\n'
demo_fails ben run --provider ann --memory 192M --file "$demo_work/file" -- \
    sh -c 'sha256sum <file; exit 3'
demo_check "its output came" grep -qF "$hash" "$demo_work/said"
demo_check "and its exit code" test "$demo_code" -eq 3

printf '\nAnd back:\n'
demo_say ben vm release lab || true
demo_say ann vm list || true
demo_check "neither knows of a machine" demo_not grep -q 'vm-' "$demo_work/said"
gone() {
    [ -z "$(ls -A "$demo_work/ann/vms")" ] && ! has_process
}
demo_check "no disk, no key, no socket and no process is left" demo_until gone
if demo_end; then
    printf 'Yours, now: %s up\n' "$demo_bin/omerta"
else
    exit 1
fi
