#!/bin/bash
# vm-job.sh - a program in a virtual machine that is made for it, with a file in and one out
#
# One home, one real daemon that provides machines to itself, the small image, QEMU.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demos/demo.sh
. demos/demo.sh
demo_begin "$@"

missing() {
    echo "vm-job.sh: skipped: $1"
    exit 77
}

for tool in qemu-system-x86_64 qemu-img apt-get dpkg-deb lz4; do
    command -v "$tool" >/dev/null || missing "$tool is missing"
done

demo_daemon ann
demo_quiet ann provide on --vms 1 --cpu 1 --memory 512M --disk 1G >/dev/null
printf 'ann provides virtual machines, to herself and nobody else:\n'
demo_say ann provide
if [ -n "${OMERTA_VM_CACHE:-}" ] && [ -e "$OMERTA_VM_CACHE/service/mini/image.json" ]; then
    ln -s "$OMERTA_VM_CACHE/service/mini" "$demo_work/ann/images/mini"
else
    printf '\nThe image is made once, of Debian packages:\n'
    demo_say ann image build || missing "the image cannot be built here"
fi

head -c 1000000 /dev/urandom >"$demo_work/numbers"
cat >"$demo_work/job.sh" <<'END'
echo "this is $(uname -s) as $(id -un), with $(grep -c ^processor /proc/cpuinfo) processor"
tr -dc 0-9 <numbers | fold -w 60 >digits
wc -l <digits
END
printf '\nA program, with a file in and one out, in a machine of its own:\n'
mkdir "$demo_work/out"
demo_say ann submit --provider self --memory 192 --script "@$demo_work/job.sh" \
    --file "$demo_work/numbers" --output digits --into "$demo_work/out"
demo_check "what it says comes as it says it" grep -q 'this is Linux as root' "$demo_work/said"
tr -dc 0-9 <"$demo_work/numbers" | fold -w 60 >"$demo_work/wanted"
demo_check "the artefact is what the program makes of the file" \
    cmp "$demo_work/wanted" "$demo_work/out/digits"

printf '\nA command alone; its exit code is ours:\n'
demo_fails ann run --provider self --memory 192 -- sh -c 'echo no >&2; exit 3'
demo_check "the exit code is the command's" test "$demo_code" -eq 3

printf '\nAnd of all that nothing is left:\n'
demo_say ann vm list
demo_check "no machine" grep -q 'no virtual machine' "$demo_work/said"
demo_check "no folder" test -z "$(ls "$demo_work/ann/vms")"
demo_end
