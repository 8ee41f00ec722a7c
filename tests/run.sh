#!/bin/bash
# run.sh - the one test command: installs what is missing, builds, runs every tier
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/setup.sh

TIERS="unit model oom sim fuzz lint lab system vm bench"

usage() {
    cat <<'END'
usage: tests/run.sh [--no-install] [--tier NAME,...] [--asan] [--full]

  --no-install  install nothing; fail where something is missing
  --tier LIST   only these tiers, of: unit model oom sim fuzz lint lab system vm bench
                (default: all but bench)
  --asan        build with AddressSanitizer and UndefinedBehaviorSanitizer instead
  --full        all tiers with gcc, and clang-tidy; then what is one process with clang, ASan
                and UBSan; then what has threads with TSan
  --help        this text

Ends with ctest's summary and a last line "N passed, N failed, N skipped" over all runs.
Exit: 0 all passed (skipped tests said why), 1 something failed, 2 wrong usage.
END
}

wrong() {
    echo "run.sh: $1 (--help lists the options)" >&2
    exit 2
}

tiers="" kind=all install=yes preset=dev
while [ $# -gt 0 ]; do
    case $1 in
    --no-install) install=no ;;
    --asan) preset=asan ;;
    --full) kind=full ;;
    --tier)
        [ $# -ge 2 ] || wrong "--tier wants a list such as unit,sim"
        tiers=${2//,/ }
        shift
        ;;
    --tier=*) tiers=${1#--tier=} tiers=${tiers//,/ } ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) wrong "unknown option \"$1\"" ;;
    esac
    shift
done
[ "$kind $preset" != "full asan" ] || wrong "--full already runs what --asan does"
for tier in $tiers; do
    [[ " $TIERS " == *" $tier "* ]] || wrong "unknown tier \"$tier\": want one of $TIERS"
done
: "${tiers:=unit model oom sim fuzz lint lab system vm}"

passed=0 failed=0 skipped=0 broken=0
lines=() last=""

# Adds ctest's own counts to the totals: its JUnit file tells skipped from passed.
count() {
    local head tests fails disabled skips
    head=$(grep -m 1 -A 8 '<testsuite ' "$1" | tr '\n\t' '  ')
    number() { sed -n "s/.*<testsuite [^>]*$1=\"\([0-9]*\)\".*/\1/p" <<<"$head"; }
    tests=$(number tests) fails=$(number failures)
    disabled=$(number disabled) skips=$(number skipped)
    passed=$((passed + tests - fails - disabled - skips))
    failed=$((failed + fails))
    skipped=$((skipped + disabled + skips))
}

# run NAME PRESET TIERS [CMAKE_OPTION...] - one build, and those of $tiers that are among TIERS
run() {
    local name=$1 preset=$2 among=$3 labels="" target=all tier start verdict
    local -a of=() calm=()
    shift 3
    for tier in $tiers; do
        [[ " $among " != *" $tier "* ]] || labels+="${labels:+|}$tier"
    done
    [ -n "$labels" ] || return 0
    case $preset in
    asan) of=(-LE '^large$') ;;
    tsan)
        target=threaded
        of=(-L '^threads$')
        # Address space may be laid out too randomly for its fixed map.
        ! setarch "$(uname -m)" -R true 2>/dev/null || calm=(setarch "$(uname -m)" -R)
        ;;
    esac
    start=$EPOCHREALTIME
    if ! om_build "$preset" "$target" "$@"; then
        lines+=("$name: not built")
        broken=1
        return 0
    fi
    local log=build/log/ctest-$name.txt junit=$PWD/build/log/ctest-$name.xml
    rm -f "$junit"
    # One more than there are processors: the daemons of lab and system mostly wait.
    "${calm[@]}" ctest --test-dir "build/$preset" -L "^($labels)\$" "${of[@]}" \
        -j "$(($(nproc) + 1))" --output-on-failure --no-tests=error --output-junit "$junit" \
        </dev/null 2>&1 | tee "$log" || broken=1
    [ ! -f "$junit" ] || count "$junit"
    last=$log
    verdict=$(grep -m 1 'tests passed' "$log" || echo "no test ran")
    lines+=("$name: $verdict ($(om_elapsed "$start") with its build)")
}

if [ "$install" = yes ]; then
    om_install "$kind"
else
    om_name_missing "$kind"
fi
everything=$TIERS
case $kind,$preset in
*,asan) run asan asan "$everything" -DOM_TIDY=OFF ;;
all,*) run gcc dev "$everything" -DOM_TIDY=OFF ;;
full,*)
    # The lint judges the tree and not a build, a failed allocation is looked at where ASan sees
    # what it leaves behind, and TSan gets what has threads: the core has none.
    run gcc dev "${everything/ oom/}" -DOM_TIDY=ON
    # Hundreds of programs with debug information: lld links each in a third of what ld takes.
    run clang-asan asan "unit model oom sim fuzz" -DCMAKE_C_COMPILER=clang \
        -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld
    run tsan tsan unit
    ;;
esac

echo
[ ${#lines[@]} -eq 0 ] || printf '%s\n' "${lines[@]}"
# ctest's summary of the last run, from its first line on.
[ -z "$last" ] || sed -n '/tests passed/,$p' "$last"
echo "$passed passed, $failed failed, $skipped skipped"
[ $broken -eq 0 ] && [ $failed -eq 0 ] && [ $passed -gt 0 ]
