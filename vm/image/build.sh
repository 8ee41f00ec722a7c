#!/bin/bash
# build.sh - a small guest image, made of Debian's packages by an ordinary user
#
#   build.sh [--python] [--out DIR] [--cache DIR] [--update] [--tended]
#
#   --python  the image "python": mini and python3
#   --out     where vmlinux, initrd and image.json go (default: CACHE/mini or CACHE/python)
#   --cache   where packages are kept (default: $XDG_CACHE_HOME/omerta/image)
#   --update  ask the mirrors for newer packages, also when they were asked within the last day
#   --tended  stop, with all that was started, when standard input ends; alone in a session
#
# apt runs with its own list of sources, state and cache below the cache: the machine's
# configuration is read, never changed. The chain of trust is Debian's: the archive keyring signs
# the index, the index holds the hashes of packages, and a package in the cache is checked against
# them each time. The same packages give the same bytes. An image that is there already is left
# alone; one that is not appears in one step, whole. Each step prints one line.
# Exit: 0 there, 1 not, with a sentence why.
set -euo pipefail

SUITE=bookworm
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
MIRROR=http://deb.debian.org/debian
SECURITY=http://deb.debian.org/debian-security
# Raised when what a host can count on changes: image.json "format" and the agent's version.
FORMAT=1
AGENT=1

here=$(cd "$(dirname "$0")" && pwd)
started=$EPOCHREALTIME

fail() {
    echo "build.sh: $*" >&2
    exit 1
}

wrong() {
    echo "build.sh: $1" >&2
    sed -n '4,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

step() {
    local tenths=$(((${EPOCHREALTIME/[.,]/} - ${started/[.,]/}) / 100000))
    echo "image $name: $* ($((tenths / 10)).$((tenths % 10)) s)"
}

name=mini out="" cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/omerta/image update=no tended=no
while [ $# -gt 0 ]; do
    case $1 in
    --python) name=python ;;
    --update) update=yes ;;
    --tended) tended=yes ;;
    --out | --cache)
        [ $# -ge 2 ] || wrong "$1 wants a folder"
        if [ "$1" = --out ]; then out=$2; else cache=$2; fi
        shift
        ;;
    --help)
        sed -n '2,17s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *) wrong "unknown option $1" ;;
    esac
    shift
done

mkdir -p "$cache" || fail "cannot make $cache"
cache=$(cd "$cache" && pwd)
out=${out:-$cache/$name}
mkdir -p "$(dirname "$out")" || fail "cannot make $(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")

for tool in apt-get apt-cache dpkg-deb python3 lz4 flock sha256sum; do
    command -v $tool >/dev/null ||
        fail "$tool is missing: an image is built with apt, dpkg, python3, lz4 and util-linux"
done
[ -r $KEYRING ] || fail "$KEYRING is missing: install debian-archive-keyring"

# A shell waits for what runs in its foreground before it heeds a signal; so all of it is ended.
if [ $tended = yes ]; then
    exec 7<&0 </dev/null
    (
        read -r _ <&7 || true
        kill -TERM -- -$$
    ) >/dev/null 2>&1 &
    exec 7<&-
fi

# Two builds at once share one download, and do not replace an image under each other.
exec 9>"$cache/lock"
if ! flock -n 9; then
    step "waiting for another build"
    flock 9
fi

# Nobody else is at it, so what is there was left by one that was killed.
rm -rf "$cache"/work.* "$out".new.* "$out".old.*
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work" "$out.new.$$"' EXIT
trap 'exit 130' INT TERM HUP

# The mirror of Debian's that the machine's apt uses, from either form of its lists; $1: its last
# folder.
machine_mirror() {
    {
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*\).*/\2/p'
        cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p'
    } | { grep -E "^https?://.*/$1/?\$" || true; } | sort -u | head -n 1
}

private_apt() {
    local command=$1
    shift
    DEBIAN_FRONTEND=noninteractive LC_ALL=C "$command" -q -o APT::Architecture=amd64 \
        -o APT::Architectures=amd64 \
        -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts="$apt/empty" \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$apt/empty" \
        -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists" -o Dir::State::Status="$apt/status" \
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false \
        -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

ask_mirrors() {
    local mirror security
    mirror=$(machine_mirror debian)
    security=$(machine_mirror debian-security)
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/empty"
    : >"$apt/status"
    {
        echo "deb [signed-by=$KEYRING] ${mirror:-$MIRROR} $SUITE main"
        echo "deb [signed-by=$KEYRING] ${security:-$SECURITY} $SUITE-security main"
    } >"$apt/sources.list"
    step "asking the mirrors which packages there are"
    private_apt apt-get update -o APT::Update::Error-Mode=any >"$apt/log" 2>&1 || {
        tail -n 3 "$apt/log" >&2
        return 1
    }
    touch "$apt/asked"
}

# Where each package is, as apt says it: URI, file, size, hash. That takes seconds, so it is kept
# until the mirrors are asked again.
resolve() {
    local kernel said=$apt/uris.$name
    if [ "$said" -nt "$apt/asked" ] && [ "$said" -nt "$here/mini.list" ] &&
        [ "$said" -nt "$here/$name.list" ]; then
        cp "$said" "$work/uris"
        return
    fi
    kernel=$(private_apt apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -n 1)
    [ -n "$kernel" ] || return 1
    # shellcheck disable=SC2046 # one argument a package
    private_apt apt-get download --print-uris "$kernel" $(packages) >"$work/uris" 2>"$apt/log" &&
        cp "$work/uris" "$said.new" && mv "$said.new" "$said"
}

lists() {
    cat "$here/mini.list"
    [ $name = mini ] || cat "$here/$name.list"
}

packages() { lists | sed '/^#/d; /^$/d; s/ .*//' | sort -u; }

# Fetches what is not in the cache with the right hash; every file appears whole or not at all.
fetch() {
    local file size hash missing="" count=0 bytes=0
    mkdir -p "$cache/debs"
    while read -r _ file size hash; do
        echo "${hash#SHA256:}  $file" >>"$work/sums"
        echo "$file" >>"$work/files"
        if ! (cd "$cache/debs" && echo "${hash#SHA256:}  $file" |
            sha256sum --status -c 2>/dev/null); then
            missing="$missing ${file%%_*}" count=$((count + 1)) bytes=$((bytes + size))
        fi
    done <"$work/uris"
    [ -n "$missing" ] || return 0
    if [ $count -gt 4 ]; then
        step "fetching $count packages, $((bytes / 1000000)) MB"
    else
        step "fetching$missing"
    fi
    mkdir "$work/debs"
    # shellcheck disable=SC2086 # one argument a package
    (cd "$work/debs" && private_apt apt-get download $missing >"$apt/log" 2>&1) || return 1
    mv "$work"/debs/*.deb "$cache/debs/"
    rmdir "$work/debs"
    (cd "$cache/debs" && sha256sum --status -c "$work/sums") || return 1
}

apt=$cache/apt
if [ $update = yes ] || [ ! -f "$apt/asked" ] || [ -n "$(find "$apt/asked" -mmin +1440)" ]; then
    # Without a network what the cache holds will do.
    ask_mirrors || [ -f "$apt/asked" ] || fail "no mirror of Debian's could be asked"
fi
if ! { resolve && fetch; }; then
    # The mirror may have newer ones than it had when it was asked.
    rm -rf "$work/sums" "$work/files" "$work/debs"
    ask_mirrors || fail "no mirror of Debian's could be asked"
    { resolve && fetch; } || {
        tail -n 3 "$apt/log" >&2
        fail "not all packages could be fetched"
    }
fi

"$here/agent.sh" "$work/agent" || fail "there is no agent to put into the image"

# What the image is made of, and by what: the same, so nothing to do.
recipe=$({
    sort "$work/sums"
    sha256sum <"$work/agent"
    cd "$here"
    sha256sum build.sh image.py mini.list "$name.list" modules.list guest/*
} | sha256sum | cut -c 1-64)
if [ -f "$out/image.json" ] && grep -qF "\"recipe\": \"$recipe\"" "$out/image.json" &&
    python3 "$here/image.py" verify "$out"; then
    step "there already: $out"
    exit 0
fi

step "unpacking $(wc -l <"$work/files") packages"
while read -r file; do
    mkdir -p "$work/x/${file%%_*}"
    dpkg-deb -x "$cache/debs/$file" "$work/x/${file%%_*}"
done <"$work/files"
kernel=$(cd "$work/x" && echo linux-image-*)
release=${kernel#linux-image-}

step "putting the file system together"
tree=$work/tree
mkdir -p "$tree"/{dev,etc/omerta,etc/acpi/PWRF,proc,root,run,sys,tmp,var,work}
mkdir -p "$tree"/usr/{bin,sbin,lib/modules,lib64} "$tree"/var/{log,tmp}
for folder in bin sbin lib lib64; do
    ln -s usr/$folder "$tree/$folder"
done
ln -s /run "$tree/var/run"

# One file of a package at its place below /usr: Debian's own /bin and /lib are links into it.
take() {
    local to=usr/${2#usr/}
    mkdir -p "$tree/$(dirname "$to")"
    cp -RL "$1/$2" "$tree/$to${3:-}"
}
while read -r package patterns; do
    taken=0
    for pattern in $patterns; do
        for file in $(cd "$work/x/$package" &&
            { compgen -G "usr/$pattern" || compgen -G "$pattern"; }); do
            # A link into a package that is not taken.
            [ -e "$work/x/$package/$file" ] || continue
            take "$work/x/$package" "$file" "$([ "$package" != busybox-static ] || echo .static)"
            taken=$((taken + 1))
        done
    done
    [ $taken -gt 0 ] || fail "$package has none of: $patterns"
done < <(lists | sed '/^#/d; /^$/d')
ln -s x86_64-linux-gnu/ld-linux-x86-64.so.2 "$tree/usr/lib/ld-linux-x86-64.so.2"
ln -s ../lib/ld-linux-x86-64.so.2 "$tree/usr/lib64/ld-linux-x86-64.so.2"

# The applets, by asking this busybox for them; a real program goes before the applet.
for applet in $("$work/x/busybox/bin/busybox" --list-full); do
    applet=usr/${applet#usr/}
    [ -e "$tree/$applet" ] || ln -s /bin/busybox "$tree/$applet"
done
# The shell of our own scripts: it need not be linked at each start, nor start most commands at all.
# Not for users: it would prefer its own commands to theirs, and asking a resolver it crashes.
mkdir "$tree/usr/lib/omerta"
mv "$tree/usr/bin/busybox.static" "$tree/usr/lib/omerta/sh"
ln -s openssh/sftp-server "$tree/usr/lib/sftp-server"
ln -s sbin/init "$tree/init"

while read -r module; do
    cp "$work/x/$kernel/lib/modules/$release/kernel/$module" "$tree/usr/lib/modules/" ||
        fail "the kernel $release has no $module"
    basename "$module" >>"$tree/etc/omerta/modules"
done < <(sed '/^#/d; /^$/d' "$here/modules.list")

cp "$here"/guest/* "$work/agent" "$tree/etc/omerta/"
mv "$tree/etc/omerta/inittab" "$tree/etc/inittab"
mv "$tree/etc/omerta/profile" "$tree/etc/profile"
mv "$tree/etc/omerta/button" "$tree/etc/acpi/PWRF/00000080"

languages="sh"
[ $name = mini ] || languages="sh,python"
printf 'NAME=%s\nLANGUAGES=%s\n' $name $languages >"$tree/etc/omerta/image"
echo "root:*:0:0:root:/root:/bin/sh
nobody:*:65534:65534:nobody:/:/bin/false" >"$tree/etc/passwd"
echo "root:x:0:
tty:x:5:
nogroup:x:65534:" >"$tree/etc/group"
echo /bin/sh >"$tree/etc/shells"
echo omerta >"$tree/etc/hostname"
echo "127.0.0.1 localhost
::1 localhost" >"$tree/etc/hosts"
echo "hosts: files dns" >"$tree/etc/nsswitch.conf"
: >"$tree/etc/resolv.conf"
: >"$tree/var/log/lastlog"
echo "Omerta guest \"$name\", Linux $release: /work is its disk, and goes when the lease ends." \
    >"$tree/etc/motd"
echo "ID=omerta-$name
NAME=\"Omerta guest $name\"
PRETTY_NAME=\"Omerta guest $name (Debian $SUITE)\"" >"$tree/etc/os-release"
chmod -R u+rwX,go+rX "$tree"
chmod 0755 "$tree"/etc/omerta/{boot,root,disk,net,lease,ssh,power,agent,seed.sh} \
    "$tree/etc/acpi/PWRF/00000080"

# Python's modules, compiled once here instead of at each start in each guest, and by the guest's
# own python: another version's would be of no use to it. Without their sources, which would take as
# much memory again.
if [ $name = python ]; then
    step "compiling the modules of python"
    version=$(cd "$tree/usr/bin" && echo python3.*)
    ln -s "$version" "$tree/usr/bin/python3"
    env -i PYTHONHOME="$tree/usr" PYTHONHASHSEED=0 \
        "$tree/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" \
        --library-path "$tree/usr/lib/x86_64-linux-gnu" "$tree/usr/bin/$version" -B -s \
        -m compileall -q -b -j 1 --invalidation-mode unchecked-hash -s "$tree" \
        "$tree/usr/lib/$version" ||
        fail "python's modules cannot be compiled"
    find "$tree/usr/lib/$version" -name '*.py' -delete
fi
python3 "$here/image.py" needed "$tree" || fail "a library is missing in the lists"

step "packing"
new=$out.new.$$
rm -rf "$new"
mkdir "$new"
python3 "$here/image.py" cpio "$tree" "$work/initrd"
# The form that the kernel unpacks; it takes a third of gzip's time.
lz4 -l -9 -q -f "$work/initrd" "$new/initrd"
python3 "$here/image.py" vmlinux "$work/x/$kernel/boot/vmlinuz-$release" "$new/vmlinux"
python3 "$here/image.py" describe "$new" "$name" $FORMAT $AGENT "$languages" "$release" "$recipe" \
    "$work/files"

if [ -e "$out" ]; then
    # Only an image of ours makes room for another.
    [ -f "$out/image.json" ] || rmdir "$out" 2>/dev/null || fail "$out holds something else"
fi
if [ -e "$out" ]; then
    mv "$out" "$out.old.$$"
fi
mv "$new" "$out"
rm -rf "$out.old.$$"
initrd=$(stat -c %s "$out/initrd")
bytes=$(cat "$out"/* | wc -c)
step "made: $out, kernel $release, $((bytes / 1000000)) MB, initrd $initrd bytes"
