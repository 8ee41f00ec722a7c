#!/bin/sh
# units.sh - systemd reads our unit files without complaint and finds little exposed. One file with
# a spelling mistake is the control: it must be complained about.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dist=$here/../../meshd/dist
most=20 # tenths: the exposure that the system unit may have; systemd's scale ends at 100

fail() {
    echo "units.sh: $*" >&2
    exit 1
}

if ! command -v systemd-analyze >/dev/null; then
    echo "units.sh: no systemd-analyze on this machine"
    exit 77
fi

# It wants to make /run/systemd where no systemd runs, also to look at a file.
if [ "$(id -u)" -ne 0 ] && [ ! -d /run/systemd ]; then
    exec "$here/../lab/run.sh" "$0"
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/units-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# verify wants programs that exist: ours need not be installed here.
stage() {
    sed 's|^ExecStart=/usr/bin/omerta-meshd|ExecStart=/bin/true|' "$dist/$1" >"$scratch/$2"
}
stage omerta-meshd.service omerta-meshd.service
mkdir "$scratch/user"
stage omerta-meshd.user.service user/omerta-meshd.service

# verify may also speak of units of the machine, and then its status is not about ours.
complaints() {
    XDG_RUNTIME_DIR=$scratch systemd-analyze "$1" verify --man=no --recursive-errors=no "$2" \
        >"$scratch/said" 2>&1 || true
    grep -F -e omerta-meshd -e Failed "$scratch/said" || true
}
mkdir "$scratch/bad"
for kind in --system --user; do
    unit=$scratch/omerta-meshd.service
    [ $kind = --system ] || unit=$scratch/user/omerta-meshd.service
    said=$(complaints $kind "$unit")
    [ -z "$said" ] || fail "$said"
    sed 's/^LockPersonality=/LockPersonalty=/' "$unit" >"$scratch/bad/omerta-meshd.service"
    said=$(complaints $kind "$scratch/bad/omerta-meshd.service")
    case $said in
    *LockPersonalty*) ;;
    *) fail "a misspelt setting was not noticed with $kind: $said" ;;
    esac
done

# The drop-in for providers: read without complaint too, and it is read, as its own mistake shows.
for kind in --system --user; do
    unit=$scratch/omerta-meshd.service
    [ $kind = --system ] || unit=$scratch/user/omerta-meshd.service
    mkdir "$unit.d"
    cp "$dist/omerta-meshd-provide.conf" "$unit.d/"
    said=$(complaints $kind "$unit")
    [ -z "$said" ] || fail "with the drop-in: $said"
    sed 's/^KillMode=/KillMood=/' "$dist/omerta-meshd-provide.conf" \
        >"$unit.d/omerta-meshd-provide.conf"
    said=$(complaints $kind "$unit")
    case $said in
    *KillMood*) ;;
    *) fail "a misspelt setting of the drop-in was not noticed with $kind: $said" ;;
    esac
    rm -r "$unit.d"
done

# A start that only a person can mend is not tried again: exit.h has the numbers.
number() {
    sed -n "s/.*$1 = \([0-9]*\).*/\1/p" "$here/../../meshd/exit.h"
}
usage=$(number OM_EXIT_USAGE)
config=$(number OM_EXIT_CONFIG)
[ -n "$usage" ] || fail "exit.h has no number for usage"
[ -n "$config" ] || fail "exit.h has no number for configuration"
prevents() {
    grep -q "^RestartPreventExitStatus=$usage $config\$" "$1"
}
for unit in omerta-meshd.service omerta-meshd.user.service; do
    prevents "$dist/$unit" || fail "$unit starts again after exit code $usage or $config"
    sed 's/^RestartPreventExitStatus=.*/RestartPreventExitStatus=/' "$dist/$unit" \
        >"$scratch/bad/unprevented"
    if prevents "$scratch/bad/unprevented"; then
        fail "$unit without the codes passed as well"
    fi
done

# "Overall exposure level for omerta-meshd.service: 1.2 OK", and a failure above --threshold.
score() {
    systemd-analyze security --offline=true --no-pager --threshold="$2" "$1" 2>&1 |
        sed -n 's/.*Overall exposure level for [^:]*: *\([0-9.]*\).*/\1/p'
}
systemd-analyze security --offline=true --no-pager --threshold=$most \
    "$scratch/omerta-meshd.service" >"$scratch/report" 2>&1 || {
    cat "$scratch/report"
    fail "the system unit is exposed above $most tenths"
}
level=$(score "$scratch/omerta-meshd.service" 100)
echo "system unit: exposure $level of 10"
grep -v -E '^(Protect|Private|Restrict|SystemCall|Capability|NoNew|Memory|Lock|User|Group)' \
    "$scratch/omerta-meshd.service" >"$scratch/bad/omerta-meshd.service"
if systemd-analyze security --offline=true --no-pager --threshold=$most \
    "$scratch/bad/omerta-meshd.service" >/dev/null 2>&1; then
    fail "a unit without any protection passed as well"
fi
echo "the same without protection: exposure $(score "$scratch/bad/omerta-meshd.service" 100) of 10"
echo "user unit: exposure $(score "$scratch/user/omerta-meshd.service" 100) of 10"
