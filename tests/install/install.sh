#!/bin/sh
# install.sh shared|static BUILD_DIR CC LIBDIR - install to a scratch folder, then
# compile, link and run a consumer with what pkg-config says, and nothing else.
set -eu

kind=$1 build=$2 cc=$3 libdir=$4
here=$(cd "$(dirname "$0")" && pwd)
scratch=$build/tests/install/$kind

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

rm -rf "$scratch"
DESTDIR=$scratch cmake --install "$build" >/dev/null
lib=$scratch$libdir

export PKG_CONFIG_PATH="$lib/pkgconfig"
compile() {
    # shellcheck disable=SC2046,SC2086 # flags are words
    for name in consumer embed; do
        "$cc" -std=c11 -Wall -Wextra -Werror $1 "$here/$name.c" \
            $(pkg-config $2 --cflags --libs omerta-mesh) -o "$scratch/$name"
    done
}
# Two of them, which know nothing of each other but one line, meet and talk.
meet() {
    rm -f "$scratch/fifo"
    mkfifo "$scratch/fifo"
    "$scratch/embed" >"$scratch/fifo" &
    first=$!
    read -r me <"$scratch/fifo"
    said=$("$scratch/embed" "$me" "hello there") || fail "embed: no answer"
    [ "$said" = "you said: hello there" ] || fail "embed says: $said"
    wait $first || fail "embed: the first one did not end well"
    if "$scratch/embed" "${me%:*}:x" hello 2>/dev/null; then
        fail "embed meets nobody at no address"
    fi
}
needed() {
    readelf -d "$scratch/consumer" | grep -F "$1" >/dev/null
}

if [ "$kind" = shared ]; then
    compile "" ""
    export LD_LIBRARY_PATH="$lib"
    "$scratch/consumer"
    meet
    unset LD_LIBRARY_PATH
    needed '[libomerta-mesh.so.0]' || fail "the consumer does not need libomerta-mesh.so.0"
    # A reader of the map may doubt it: nothing but om_* is exported, and om_err_text is.
    exported=$(nm -D --defined-only --without-symbol-versions "$lib/libomerta-mesh.so" |
        awk '$2 != "A" { print $3 }')
    echo "$exported" | grep -x om_err_text >/dev/null || fail "om_err_text is not exported"
    others=$(echo "$exported" | grep -v '^om_' || true)
    [ -z "$others" ] || fail "exported beside om_*: $others"
else
    compile -static --static
    "$scratch/consumer"
    meet
    if needed '(NEEDED)'; then
        fail "the static consumer needs shared libraries"
    fi
fi

# Each public header of the tree is there.
include=$(pkg-config --variable=includedir omerta-mesh)
for header in "$here"/../../mesh/include/omerta/*.h; do
    name=omerta/$(basename "$header")
    [ -f "$include/$name" ] || fail "not installed: $name"
done
