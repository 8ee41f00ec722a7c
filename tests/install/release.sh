#!/bin/sh
# release.sh SOURCE SCRATCH CC LWIP - the preset "release", which README installs from: it
# configures, and the lowest floor compiles with it as what is installed, without a warning
#
# The rest is the same source as in every other build, and nothing in it asks for NDEBUG: no product
# file has an assert(). A whole build more would take minutes.
set -eu

source=$1 scratch=$2 cc=$3 lwip=$4

fail() {
    echo "release.sh: $*" >&2
    exit 1
}

rm -rf "$scratch"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP
(cd "$source" && cmake --preset release -B "$scratch" -DOM_WERROR=ON -DCMAKE_C_COMPILER="$cc" \
    -DOM_LWIP_DIR="$lwip") >/dev/null || fail "cmake --preset release"
grep -q '^CMAKE_BUILD_TYPE:.*=Release$' "$scratch/CMakeCache.txt" || fail "no build of type Release"
cmake --build "$scratch" --target om_base >/dev/null || fail "mesh/base does not compile"
ninja -C "$scratch" -t commands om_base | grep -q -e '-O3 .*-DNDEBUG' ||
    fail "mesh/base is not compiled for a release"
cd "$source"
! grep -rnE '(^|[^_a-z])assert\(' --include='*.c' mesh netstack tunnel vm meshd cli ||
    fail "an assert() is left out there"
