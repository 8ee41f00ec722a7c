#!/bin/sh
# fetch.sh DEST - Debian's source of lwIP, verified by apt, patched and unpacked into DEST/src
#
# apt runs with its own sources list, state and cache below DEST: the machine's configuration is
# read, never changed, and no root is needed. The chain of trust is Debian's: the archive keyring
# signs the index, the index holds the hashes of the source package.
# Does nothing when DEST already holds this version. Exit: 0 there, 1 not, with a sentence why.
set -eu

VERSION=2.1.3+dfsg1-2
SUITE=bookworm
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
MIRROR=http://deb.debian.org/debian

fail() {
    echo "fetch.sh: $*" >&2
    exit 1
}

# The mirrors of Debian itself that the machine's apt uses, from either form of its lists.
machine_mirrors() {
    {
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*\).*/\2/p'
        cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p'
    } | grep -E '^https?://.*/debian/?$' | sort -u | head -n 2
}

[ $# -eq 1 ] || { echo "usage: fetch.sh DEST" >&2; exit 2; }
mkdir -p "$1" || fail "cannot make $1"
dest=$(cd "$1" && pwd)
stamp=$dest/src/.fetched
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$VERSION" ] && exit 0

# Two builds configured at once share one download.
if command -v flock >/dev/null && [ -z "${OM_LWIP_LOCKED:-}" ]; then
    OM_LWIP_LOCKED=1 exec flock "$dest/lock" "$0" "$dest"
fi

for tool in apt-get dpkg-source; do
    command -v "$tool" >/dev/null ||
        fail "$tool is missing: install apt and dpkg-dev, or set OM_LWIP_DIR to a tree of lwIP"
done
[ -r "$KEYRING" ] || fail "$KEYRING is missing: install debian-archive-keyring"
apt=$dest/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/empty"
: >"$apt/status"
private_apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q \
        -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts="$apt/empty" \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$apt/empty" \
        -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists" -o Dir::State::Status="$apt/status" \
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false \
        -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}
log=$dest/log
download() {
    echo "deb-src [signed-by=$KEYRING] $1 $SUITE main" >"$apt/sources.list"
    private_apt update -o APT::Update::Error-Mode=any &&
        (cd "$apt" && private_apt source --download-only "lwip=$VERSION")
}
# A machine's own mirror may hold no sources.
for mirror in $(machine_mirrors) "$MIRROR" ""; do
    [ -n "$mirror" ] || {
        tail -n 5 "$log" >&2
        fail "apt cannot get the source package lwip $VERSION; all it said is in $log"
    }
    download "$mirror" >"$log" 2>&1 && break
done

# Unpack beside, then move into place: a tree that is there is whole.
rm -rf "$dest/new" "$dest/src"
dpkg-source -q --no-check -x "$apt/lwip_$VERSION.dsc" "$dest/new" \
    >>"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    fail "dpkg-source cannot unpack lwip_$VERSION.dsc"
}
echo "$VERSION" >"$dest/new/.fetched"
mv "$dest/new" "$dest/src"
rm -rf "$apt" "$log" "$dest"/lwip_*
