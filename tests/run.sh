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
  --full        all tiers with gcc and clang-tidy; then, without the lint, with clang, with
                ASan+UBSan and with TSan
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
    local name=$1 preset=$2 among=$3 labels="" tier start verdict
    shift 3
    for tier in $tiers; do
        [[ " $among " != *" $tier "* ]] || labels+="${labels:+|}$tier"
    done
    [ -n "$labels" ] || return 0
    start=$EPOCHREALTIME
    if ! om_build "$preset" all "$@"; then
        lines+=("$name: not built")
        broken=1
        return 0
    fi
    local log=build/log/ctest-$name.txt junit=$PWD/build/log/ctest-$name.xml
    rm -f "$junit"
    # Where address space is laid out too randomly for TSan's fixed map, and it may be switched off.
    local -a calm=()
    if [ "$preset" = tsan ] && setarch "$(uname -m)" -R true 2>/dev/null; then
        calm=(setarch "$(uname -m)" -R)
    fi
    "${calm[@]}" ctest --test-dir "build/$preset" -L "^($labels)\$" -j "$(nproc)" \
        --output-on-failure --no-tests=error --output-junit "$junit" </dev/null 2>&1 |
        tee "$log" || broken=1
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
tidy=OFF
[ "$kind" != full ] || tidy=ON
case $preset in
asan) run asan asan "$everything" -DOM_TIDY=OFF ;;
*) run gcc dev "$everything" -DOM_TIDY=$tidy ;;
esac
if [ "$kind" = full ]; then
    # The lint judges the tree, not a build. A failed allocation is the same under clang and TSan.
    run clang clang "unit model sim fuzz"
    run asan asan "unit model oom sim fuzz"
    run tsan tsan "unit model sim fuzz"
fi

echo
[ ${#lines[@]} -eq 0 ] || printf '%s\n' "${lines[@]}"
# ctest's summary of the last run, from its first line on.
[ -z "$last" ] || sed -n '/tests passed/,$p' "$last"
echo "$passed passed, $failed failed, $skipped skipped"
[ $broken -eq 0 ] && [ $failed -eq 0 ] && [ $passed -gt 0 ]
