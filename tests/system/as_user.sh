#!/bin/bash
# as_user.sh COMMAND... - runs a command as an ordinary user, as most who try it are
#
# For root that is one made up for it, with a number that nobody has and a home that is removed;
# what it leaves there or running is a failure. Exit 77 where this user cannot read the tree.
set -euo pipefail
if [ "$(id -u)" -ne 0 ]; then
    exec "$@"
fi
number=61200 # between those of people and those that systemd hands out, on Debian
running() {
    find /proc -ignore_readdir_race -maxdepth 1 -name '[0-9]*' -user "$number" 2>/dev/null || true
}
while [ -n "$(getent passwd "$number")$(running)" ]; do
    number=$((number + 1))
done
if [ ! -x "$1" ]; then
    echo "as_user.sh: $1: no such program" >&2
    exit 1
fi
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
trap 'exit 130' INT TERM HUP
chown "$number:$number" "$home"
user=(setpriv --reuid "$number" --regid "$number" --clear-groups --inh-caps=-all --bounding-set=-all
    --no-new-privs env "HOME=$home" "TMPDIR=$home")
if ! why=$("${user[@]}" test -r "$PWD" -a -x "$1" 2>&1) || [ -n "$why" ]; then
    echo "skipped: an ordinary user cannot run $1: ${why:-permission denied}"
    exit 77
fi
code=0
"${user[@]}" "$@" || code=$?
for _ in $(seq 50); do # what was ended may be a moment in going
    left=$(ls -A "$home" && running)
    [ -n "$left" ] || break
    read -rt 0.1 <> <(:) || true
done
if [ -n "$left" ]; then
    printf 'as_user.sh: this is left:\n%s\n' "$left" >&2
    exit 1
fi
exit "$code"
