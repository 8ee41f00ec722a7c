#!/bin/sh
# Builds with the release preset and prints what the core costs; writes the figures as JSON too.
#
# usage: tests/bench/run.sh [--check] [JSON_FILE]
set -eu

cd "$(dirname "$0")/../.."
check=
json=build/bench.json
for arg in "$@"; do
    case $arg in
    --check) check=--check ;;
    -*)
        echo "$0: unknown argument $arg: want [--check] [JSON_FILE]" >&2
        exit 2
        ;;
    *) json=$arg ;;
    esac
done
cmake --preset release >/dev/null
cmake --build --preset release --target omerta-bench >/dev/null
build/release/bin/omerta-bench --json "$json" $check
echo "figures: $json"
