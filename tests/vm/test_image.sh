#!/bin/bash
# test_image.sh BUILD_DIR - the built-in guest images: made twice, the same bytes; nothing half
# made; hostile seeds; each booted once. As an ordinary user, also when root starts it. Packages are
# kept in BUILD_DIR/tests/vm between runs, images are not. Exit 77 where something is missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
image=$here/../../vm/image
build=$1

skip() {
    echo "test_image.sh: skipped: $*"
    exit 77
}
fail() {
    echo "test_image.sh: $*" >&2
    exit 1
}

[ "$(uname -m)" = x86_64 ] || skip "the images are for x86_64"
for tool in qemu-system-x86_64 qemu-img genisoimage ssh scp ssh-keygen rsync python3 lz4 apt-get \
    dpkg-deb; do
    command -v $tool >/dev/null || skip "$tool is missing"
done

# What only root could do would be no proof.
if [ "$(id -u)" -eq 0 ]; then
    mkdir -p "$build/tests/vm/nobody"
    chown 65534:65534 "$build/tests/vm/nobody"
    ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${ordinary[@]}" test -r "$0" || skip "nobody cannot read the source tree"
    HOME=/nonexistent exec "${ordinary[@]}" "$0" "$build"
fi
scratch=$build/tests/vm
[ "$(id -u)" -ne 65534 ] || scratch=$scratch/nobody
mkdir -p "$scratch"
cache=$scratch/cache
run=$(mktemp -d "$scratch/run.XXXXXX")
export TMPDIR=$run
trap 'rm -rf "$run"' EXIT

echo "== making"
"$image/build.sh" --cache "$cache" --out "$run/mini" >"$run/log" 2>&1 || {
    cat "$run/log"
    # The only thing asked of outside; whether that is away is not for the builder to say.
    "$here/mirror.sh" || skip "no mirror of Debian's answers this machine"
    fail "mini cannot be made"
}
cat "$run/log"
"$image/build.sh" --python --cache "$cache" --out "$run/python"

echo "== made again, elsewhere, by somebody with other habits: the same bytes"
(
    umask 077
    mkdir "$run/other"
    export TZ=Asia/Tokyo LC_ALL=C.UTF-8 TMPDIR=$run/other
    "$image/build.sh" --cache "$cache" --out "$run/other/mini" >/dev/null
    "$image/build.sh" --python --cache "$cache" --out "$run/other/python" >/dev/null
)
for name in mini python; do
    for file in vmlinux initrd image.json; do
        cmp "$run/$name/$file" "$run/other/$name/$file" || fail "$name/$file differs"
    done
done
rm -rf "$run/other"

echo "== there already: nothing to do; changed: made again; something else: left alone"
"$image/build.sh" --cache "$cache" --out "$run/mini" >"$run/log"
grep -q "there already" "$run/log" || fail "made once more"
before=$(sha256sum <"$run/mini/initrd")
printf x | dd of="$run/mini/initrd" bs=1 seek=1000 conv=notrunc status=none
python3 "$image/image.py" verify "$run/mini" 2>"$run/log" && fail "taken for whole"
grep -q "changed since it was made: initrd" "$run/log" || fail "the change is not told"
"$image/build.sh" --cache "$cache" --out "$run/mini" >"$run/log"
grep -q "made: " "$run/log" || fail "not made again"
[ "$(sha256sum <"$run/mini/initrd")" = "$before" ] || fail "made again, and another"
mkdir "$run/precious" && echo data >"$run/precious/file"
if "$image/build.sh" --cache "$cache" --out "$run/precious" >"$run/log" 2>&1; then
    fail "an image in place of a folder of somebody else's"
fi
[ "$(cat "$run/precious/file")" = data ] || fail "the folder is gone"

echo "== a spoilt package is fetched again; a fetch that fails, a build that stops: nothing is left"
deb=$(cd "$cache/debs" && echo zlib1g_*.deb)
good=$(sha256sum <"$cache/debs/$deb")
echo x >>"$cache/debs/$deb"
"$image/build.sh" --cache "$cache" --out "$run/again" >"$run/log"
grep -q "fetching zlib1g" "$run/log" || fail "not fetched"
[ "$(sha256sum <"$cache/debs/$deb")" = "$good" ] || fail "the spoilt package stayed"
rm -r "$run/again" "$cache/debs/$deb"
if http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 \
    "$image/build.sh" --cache "$cache" --out "$run/again" >"$run/log" 2>&1; then
    fail "made without a network and a package"
fi
grep -q "^build.sh: " "$run/log" || fail "no sentence says why"
[ ! -e "$run/again" ] || fail "a fetch that failed left an image"
[ ! -e "$cache/debs/$deb" ] || fail "a fetch that failed left a package"
# A line of progress, and then nobody reads on: the build ends in the middle.
"$image/build.sh" --cache "$cache" --out "$run/again" 2>/dev/null | grep -q -m 1 "putting" || true
# One that is killed cannot clean up: the next one does.
"$image/build.sh" --cache "$cache" --out "$run/killed" >"$run/log" 2>&1 &
killed=$!
until grep -q "unpacking" "$run/log"; do
    kill -0 $killed || fail "a build that ended before it could be killed"
    read -rt 0.02 <> <(:) || true
done
kill -KILL $killed
wait $killed 2>/dev/null || true
flock "$cache/lock" true
[ ! -e "$run/killed" ] || fail "half an image"
[ -n "$(find "$cache" -maxdepth 1 -name 'work.*')" ] || fail "killed too late to prove anything"
"$image/build.sh" --cache "$cache" --out "$run/mini" >"$run/log"
left=$(find "$run/again" "$run"/again.* "$cache"/work.* -maxdepth 0 2>/dev/null || true)
[ -z "$left" ] || [ "$left" = "$run/again" ] || fail "a build that was stopped left $left"
[ ! -e "$run/again" ] || python3 "$image/image.py" verify "$run/again"
rm -rf "$run/again"

echo "== hostile seeds"
mkdir "$run/busybox"
dpkg-deb -x "$cache"/debs/busybox-static_*.deb "$run/busybox"
python3 "$here/hostile_seed.py" "$run/busybox/bin/busybox"

echo "== booting"
# shellcheck disable=SC2016 # it is not to be expanded, by anybody
seed='{"write_files": [{"path": "/etc/of-the-seed", "content": "$(id)\n", "permissions": "0600"}],
    "runcmd": ["echo \"it'\''s run\" >/run/ran.new", ["mv", "/run/ran.new", "/run/ran"]]}'
for name in mini python; do
    echo "-- $name"
    "$image/try.sh" --disk 2G --seed-extra "$seed" --keep-log "$run/console" "$run/$name" \
        python3 "$here/inside.py" --disk || {
        cat "$run/console"
        fail "$name"
    }
    grep -q -E "segfault|Oops|BUG:|Call Trace|boot: no module|seed: " "$run/console" && {
        cat "$run/console"
        fail "$name: complaints on the console"
    }
done
echo "== with as little memory as image.json tells, and no disk"
"$image/try.sh" --keep-log "$run/console" "$run/mini"
