#!/bin/sh
# Searches with every fuzz target: none may find anything; then, in a build whose wire cursor reads
# too far (OM_PLANT_BUG), each must find that within its minute. Targets of code without a cursor
# have it read too far themselves (FUZZ_SLACK of fuzz.h).
#
# usage: tests/fuzz/run.sh [--seconds N] [--planted-only]
set -eu

cd "$(dirname "$0")/../.."
seconds=60
clean=1
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        seconds=${2:?--seconds wants a number}
        shift 2
        ;;
    --planted-only)
        clean=0
        shift
        ;;
    *)
        echo "$0: unknown argument $1: want [--seconds N] [--planted-only]" >&2
        exit 2
        ;;
    esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# build DIR PLANT
build() {
    cmake --preset fuzz -B "$1" -DOM_PLANT_BUG="$2" -DBUILD_TESTING=ON >"$scratch/configure.log" ||
        { cat "$scratch/configure.log"; exit 1; }
    cmake --build "$1" --target fuzz_search >"$scratch/build.log" ||
        { cat "$scratch/build.log"; exit 1; }
}

# search PROGRAM CORPUS SECONDS: 0 when nothing was found. Leaks are left to the replay under ASan:
# a target that keeps a world between inputs would be searched for leaks after each of them.
search() {
    mkdir -p "$scratch/corpus"
    (cd "$scratch" && timeout $(($3 + 60)) "$1" -max_total_time="$3" -timeout=10 \
        -detect_leaks=0 -rss_limit_mb=2048 -print_final_stats=1 "$scratch/corpus" "$2") \
        >"$scratch/search.log" 2>&1
}

failed=0
passed=0
report() {
    echo "$1"
    case $1 in
    ok*) passed=$((passed + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac
}

run_all() {
    for program in "$1"/tests/fuzz/fuzz_*_search; do
        name=$(basename "$program" _search)
        corpus=$PWD/tests/fuzz/corpus/${name#fuzz_}
        start=$(date +%s)
        found=0
        search "$PWD/$program" "$corpus" "$2" || found=1
        took=$(($(date +%s) - start))
        if [ "$found" = "$3" ] && [ "$3" = 1 ]; then
            report "ok   $name found the planted bug in $took s"
        elif [ "$found" = "$3" ]; then
            runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/search.log")
            report "ok   $name found nothing in $took s and $runs runs"
        else
            tail -n 30 "$scratch/search.log"
            report "FAIL $name: found=$found, wanted $3, after $took s"
        fi
        rm -rf "$scratch/corpus"
    done
}

if [ "$clean" = 1 ]; then
    build build/fuzz OFF
    run_all build/fuzz "$seconds" 0
fi
build build/fuzz-planted ON
run_all build/fuzz-planted 60 1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
