#!/bin/sh
# deb_inside.sh - what deb.sh has done in its Debian: the two of /packages, from -i to --purge.
set -eu
cd /packages

fail() {
    echo "deb_inside.sh: $*" >&2
    exit 1
}
# Every path but those that any package leaves a trace in, and the accounts.
state() {
    find / -xdev \( -path /proc -o -path /dev -o -path /packages -o -path /tmp \
        -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \) -prune -o -print | sort |
        grep -v -e '^/etc/.*-$' -e '^/etc/ld.so.cache$' -e '^/etc/\.pwd\.lock$' -e '^/run'
    sort /etc/passwd /etc/group | sed 's/^/account /'
}
state >/tmp/before

dpkg -i ./*.deb >/tmp/said 2>&1 || {
    cat /tmp/said
    fail "not installed"
}
state >/tmp/installed
for path in /usr/bin/omerta-health /usr/share/man/man1/omerta-health.1 \
    /usr/bin/omerta /usr/bin/omerta-meshd /usr/bin/omertad /usr/include/omerta/node.h \
    /usr/share/man/man1/omerta.1 /usr/share/bash-completion/completions/omerta \
    /usr/share/doc/omerta/copyright /usr/lib/systemd/system/omerta-meshd.service; do
    grep -qx "$path" /tmp/installed || fail "not installed: $path"
done
grep -q '^account omerta:' /tmp/installed || fail "the unit's user is missing"
omerta --version
omertad help >/dev/null 2>&1 || [ $? -eq 2 ] || fail "omertad is not ours"

echo "the unit"
verify() {
    systemd-analyze verify --man=no --recursive-errors=no "$1" 2>&1 | grep -F omerta-meshd || true
}
said=$(verify /usr/lib/systemd/system/omerta-meshd.service)
[ -z "$said" ] || fail "$said"
bad=/tmp/bad/omerta-meshd.service # the control: a word that systemd does not know
mkdir /tmp/bad
sed 's/^Restart=/Restrt=/' /usr/lib/systemd/system/omerta-meshd.service >$bad
[ -n "$(verify $bad)" ] || fail "a wrong unit is not complained of"

echo "the daemon, as the unit's user in the unit's home"
systemd-tmpfiles --create omerta-meshd.conf
as_it() {
    setpriv --reuid=omerta --regid=omerta --init-groups env HOME=/var/lib/omerta \
        omerta --home /var/lib/omerta "$@"
}
as_it init >/dev/null
as_it up
as_it status
as_it down

echo "the library, shared and static"
build() {
    # shellcheck disable=SC2046,SC2086 # flags are words
    cc -std=c11 -Wall -Werror $1 embed.c -o /tmp/program \
        $(pkg-config $2 --cflags --libs omerta-mesh)
    rm -f /tmp/fifo
    mkfifo /tmp/fifo
    /tmp/program >/tmp/fifo &
    first=$!
    read -r me </tmp/fifo
    /tmp/program "$me" hello | grep -x 'you said: hello' || fail "no answer"
    wait $first
}
build "" ""
readelf -d /tmp/program | grep -F '[libomerta-mesh.so.0]' >/dev/null || fail "not the shared one"
build -static --static

echo "removed"
dpkg -r omerta libomerta-dev >/tmp/said 2>&1 || {
    cat /tmp/said
    fail "not removed"
}
[ ! -e /usr/bin/omerta ] || fail "removed, and /usr/bin/omerta is there"
[ -e /var/lib/omerta/identity/seed ] || fail "removed is not purged: the identity is gone"

echo "purged"
dpkg --purge omerta libomerta-dev >/tmp/said 2>&1 || {
    cat /tmp/said
    fail "not purged"
}
state >/tmp/after
diff /tmp/before /tmp/after || fail "the above is left, or is missing"
# The control: while it was installed the same look found much.
[ "$(diff /tmp/before /tmp/installed | grep -c omerta)" -gt 60 ] || fail "nothing was looked at"
