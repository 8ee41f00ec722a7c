#!/bin/bash
# deb.sh BUILD_DIR - our two packages are made, installed in a Debian of their own, used, removed
# and purged; then that Debian is as it was. It is kept in build/deb of the tree for the next run,
# of whichever build; for the first one a mirror is asked. Exit 77 where something is missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
MIRROR=http://deb.debian.org/debian
# Beside what ours depend on: who compiles, who reads units.
TOOLS="gcc libc6-dev pkg-config systemd"

skip() {
    echo "deb.sh: skipped: $*"
    exit 77
}
fail() {
    echo "deb.sh: $*" >&2
    exit 1
}
step() { echo "== $* ($SECONDS s)"; }

[ "$(id -u)" -eq 0 ] || skip "only root installs packages"
for tool in cpack dpkg-shlibdeps mmdebstrap unshare flock ip; do
    command -v $tool >/dev/null || skip "$tool is missing"
done
unshare --mount --net --pid --fork true 2>/dev/null || skip "no namespaces here"
kept=$here/../../build/deb
mkdir -p "$kept"
kept=$(cd "$kept" && pwd)
work=$(mktemp -d "$kept/run.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP

step "the packages"
(cd "$build" && cpack -G DEB -B "$work/made") >"$work/log" 2>&1 || {
    cat "$work/log"
    fail "cpack failed"
}
ours=$(echo "$work"/made/omerta_*.deb) dev=$(echo "$work"/made/libomerta-dev_*.deb)
wants=$(for deb in "$ours" "$dev"; do dpkg-deb -f "$deb" Depends; done |
    tr ',' '\n' | awk '{ print $1 }' | sort -u)
echo "$wants" | grep -q '^libuv1' || fail "$ours depends on too little: $wants"

# The same list finds the same Debian again.
list=$(echo "$wants" "$TOOLS" | xargs -n 1 | sort -u | paste -sd,)
debian=$kept/$(echo "$list" | sha256sum | cut -c 1-16).root
exec 9>"$kept/lock"
flock 9
if [ ! -d "$debian" ]; then
    step "a Debian with $(echo "$list" | tr ',' '\n' | wc -l) packages more"
    rm -rf --one-file-system "$kept"/*.root
    mmdebstrap --quiet --mode=root --variant=minbase --include="$list" \
        --aptopt='APT::Sandbox::User "root"' --dpkgopt='path-exclude=/usr/share/locale/*' \
        bookworm "$work/debian" "$MIRROR" >"$work/log" 2>&1 || {
        cat "$work/log"
        "$here/../vm/mirror.sh" || skip "no mirror of Debian's answers this machine"
        fail "mmdebstrap failed"
    }
    mv "$work/debian" "$debian"
fi
flock -s 9 # who makes another one waits until we are out of this one

step "in it"
# What is done there is in a layer above it, in memory; where there are no such layers, in a copy.
mkdir "$work/root" "$work/layer"
cp "$here/deb_inside.sh" "$here/../install/embed.c" "$work/made/"
# shellcheck disable=SC2016 # those are the inner shell's
unshare --mount --net --pid --fork --kill-child sh -euc '
    debian=$1 root=$2/root layer=$2/layer made=$2/made
    mount -t tmpfs -o mode=755 deb "$layer"
    mkdir "$layer/upper" "$layer/work"
    mount -t overlay deb "$root" \
        -o "lowerdir=$debian,upperdir=$layer/upper,workdir=$layer/work" 2>/dev/null ||
        cp -a "$debian/." "$root"
    mkdir "$root/packages"
    cp "$made"/*.deb "$made/deb_inside.sh" "$made/embed.c" "$root/packages/"
    ip link set lo up
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root \
        chroot "$root" sh /packages/deb_inside.sh
' deb "$debian" "$work" || fail "see above"
step "done"
