#!/bin/bash
# full.sh - a whole Debian as an image: systemd, cloud-init, OpenSSH, Python
#
#   full.sh [--cache DIR] [--out IMAGES]
#
#   --cache  where packages, mini and what was made are kept (default: as build.sh)
#   --out    the folder in which the image "debian" appears (default: CACHE/images)
#
# The disk has no boot loader and no partitions: it is started with mini's kernel, whose initrd
# hands over to the file system (guest/root). cloud-init does the rest, from the same seed as every
# guest's. root makes it with mmdebstrap alone, an ordinary user needs fakeroot, newuidmap and a
# line in /etc/subuid. An image of the same recipe that is there already is left alone.
# Exit: 0 there, 1 not, with a sentence why.
set -euo pipefail

SUITE=bookworm
SIZE=1200M
MIRROR=http://deb.debian.org/debian
SECURITY=http://deb.debian.org/debian-security
PACKAGES=systemd-sysv,udev,dbus,cloud-init,openssh-server,python3,iproute2,sudo,procps,netbase
CMDLINE="rdinit=/etc/omerta/root root=LABEL=root rw ds=nocloud console=ttyS0 panic=-1"

here=$(cd "$(dirname "$0")" && pwd)

fail() {
    echo "full.sh: $*" >&2
    exit 1
}
step() { echo "image debian: $* ($SECONDS s)"; }

cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/omerta/image out=""
while [ $# -gt 0 ]; do
    case $1 in
    --cache | --out)
        [ $# -ge 2 ] || fail "$1 wants a folder"
        if [ "$1" = --out ]; then out=$2; else cache=$2; fi
        shift
        ;;
    *)
        sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    esac
    shift
done
for tool in mmdebstrap mke2fs qemu-img python3 flock; do
    command -v $tool >/dev/null || fail "$tool is missing"
done
mode=root
if [ "$(id -u)" -ne 0 ]; then
    mode=unshare
    for tool in fakeroot newuidmap; do
        command -v $tool >/dev/null || fail "$tool is missing, which an ordinary user needs"
    done
fi
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
out=${out:-$cache/images}
mkdir -p "$out"
out=$(cd "$out" && pwd)

"$here/build.sh" --cache "$cache" --out "$cache/mini"

# build.sh has a lock of its own.
exec 8>"$cache/full.lock"
flock 8
rm -rf "$cache"/full.*/
# Its image.json tells of the agent, too.
recipe=$(cat "$0" "$here/add.py" "$cache/mini/image.json" | sha256sum | cut -c 1-64)
if [ -f "$out/debian/image.json" ] && [ "$(cat "$cache/full.recipe" 2>/dev/null)" = "$recipe" ] &&
    python3 "$here/image.py" verify "$out/debian"; then
    step "there already: $out/debian"
    exit 0
fi
work=$(mktemp -d "$cache/full.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# What the guest is beside its packages, written with the rights that make the file system.
cat >"$work/inside" <<'INSIDE'
#!/bin/sh
set -eu
root=$1
echo "LABEL=root / ext4 defaults 0 1" >"$root/etc/fstab"
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname"
# One source of seeds: looking for clouds takes minutes where there is none.
echo "datasource_list: [NoCloud]
growpart: {mode: 'off'}
system_info:
  network: {renderers: [networkd]}" >"$root/etc/cloud/cloud.cfg.d/90_omerta.cfg"
mkdir -p "$root/etc/systemd/system"
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer systemd-pstore.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
chroot "$root" systemctl enable systemd-networkd >/dev/null 2>&1
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
INSIDE
chmod +x "$work/inside"

step "fetching and unpacking Debian $SUITE"
# A folder that only the user behind the namespace may write is of no use inside of it.
mmdebstrap --quiet --mode=$mode --variant=minbase --include=$PACKAGES \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --aptopt='Acquire::Retries "3"' --customize-hook="$work/inside \"\$1\"" \
    $SUITE "$work/root.tar" \
    "deb $MIRROR $SUITE main" "deb $SECURITY $SUITE-security main" >"$work/log" 2>&1 || {
    tail -n 3 "$work/log" >&2
    fail "mmdebstrap failed"
}

step "making the file system"
# Devices are made by the kernel in the guest, and by nobody here.
cat >"$work/pack" <<'PACK'
set -eu
mkdir "$1/root"
tar -C "$1/root" --numeric-owner --exclude='./dev/*' -xf "$1/root.tar"
mke2fs -q -t ext4 -L root -m 0 -O ^has_journal -d "$1/root" "$1/disk.raw" "$2"
PACK
if [ $mode = root ]; then
    sh "$work/pack" "$work" $SIZE
else
    fakeroot sh "$work/pack" "$work" $SIZE
fi
rm -rf "$work/root" "$work/root.tar"
qemu-img convert -q -f raw -O qcow2 "$work/disk.raw" "$work/disk.qcow2"
rm "$work/disk.raw"

rm -rf "$out/debian" "$cache/full.recipe"
python3 "$here/add.py" "$out" debian --disk "$work/disk.qcow2" --kernel "$cache/mini/vmlinux" \
    --initrd "$cache/mini/initrd" --cmdline "$CMDLINE" --agent omerta --languages sh,python
echo "$recipe" >"$cache/full.recipe"
step "made: $out/debian, disk $(stat -c %s "$out/debian/disk.qcow2") bytes"
