#!/bin/bash
# compile.sh OUT - the agent of guests: static, so that it runs in any x86-64 Linux, and the same
# bytes wherever the tree is
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
command -v musl-gcc >/dev/null || {
    echo "compile.sh: musl-gcc is missing: the agent of guests is made with musl-tools" >&2
    exit 1
}
out=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$here"
musl-gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -fno-ident -fno-pie -no-pie -static -s \
    -ffunction-sections -fdata-sections -Wl,--gc-sections,--build-id=none -iquote . -iquote ../.. \
    -I ../../mesh/include -o "$out.new.$$" ./*.c ../core/base64.c
mv "$out.new.$$" "$out"
