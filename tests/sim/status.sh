#!/bin/sh
# status.sh OMERTA-SIM - the exit status and the sentences that people and scripts rely on
set -u
sim=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# want STATUS "WORDS" ARGUMENTS... - the program ends so and says that
want()
{
    status=$1 words=$2
    shift 2
    said=$("$sim" "$@" 2>&1)
    got=$?
    if [ "$got" != "$status" ] || ! printf '%s\n' "$said" | grep -qF -- "$words"; then
        echo "omerta-sim $*: status $got, wanted $status and \"$words\"; it said:"
        printf '%s\n' "$said"
        failed=1
    fi
}

printf 'node a b\nat 0s a connect b\nby 1s session a b\n' >"$dir/good.scn"
printf 'node a b\nat 0s a connect b\nnever session a b\n' >"$dir/false.scn"
printf 'node a b\nat 0s a conect b\n' >"$dir/wrong.scn"

want 0 'ok    line 3: by 1s session a b' "$dir/good.scn"
want 1 'FAIL  line 3: never session a b; seen at 30ms: a holds one, b holds one' "$dir/false.scn"
want 2 'wrong.scn:2: "conect", wanted connect, send' "$dir/wrong.scn"
want 2 'no-such.scn: No such file' "$dir/no-such.scn"
want 2 'usage:' --frob
want 2 'usage:'
want 2 'FAIL  line 3' "$dir/false.scn" "$dir/wrong.scn" # the rest is run all the same
want 1 'good.scn, seed 9' --seed 9 "$dir/false.scn" "$dir/good.scn"

one=$("$sim" --hash "$dir/good.scn")
if [ "$one" != "$("$sim" --hash "$dir/good.scn")" ]; then
    echo "the same seed, another hash"
    failed=1
fi
if [ "$one" = "$("$sim" --seed 9 --hash "$dir/good.scn")" ]; then
    echo "another seed, the same hash"
    failed=1
fi
exit "$failed"
