#!/bin/sh
# hitless.sh OMERTA-SIM [SEEDS] - what each change of paths cost real nodes: the longest gap and the
# most datagrams missing of every direction, worst of so many seeds
set -eu
sim=$1
seeds=${2:-3}
dir=$(dirname "$0")/scenarios
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

printf '%-24s %-12s %10s %8s\n' scenario direction 'gap' missing
for file in "$dir"/hitless-*.scn; do
    : >"$out"
    seed=1
    while [ "$seed" -le "$seeds" ]; do
        "$sim" --seed "$seed" "$file" >>"$out" || failed=1
        seed=$((seed + 1))
    done
    # "ok    line 40: at 7500ms b gap < 70ms from a; it is 60.1ms": the last moment named counts
    what='\([a-z]*\) \(gap\|missing\) .* from \([a-z]*\)'
    sed -n "s/.*: at \([0-9]*\)ms $what; .* \([0-9.]*\)\([mu]*s*\)\$/\1 \2 \3 \4 \5 \6/p" "$out" |
        awk -v name="$(basename "$file" .scn)" '
            { at[NR] = $1 + 0; way[NR] = $4 ">" $2; what[NR] = $3
              v[NR] = $5 / ($6 == "us" ? 1000 : 1) * ($6 == "s" ? 1000 : 1)
              if (at[NR] > last) last = at[NR] }
            END {
                for (i = 1; i <= NR; i++) {
                    if (at[i] != last) continue
                    if (!(way[i] in seen)) { seen[way[i]] = 1; order[++n] = way[i] }
                    if (what[i] == "gap" && v[i] > gap[way[i]]) gap[way[i]] = v[i]
                    if (what[i] == "missing" && v[i] > lost[way[i]]) lost[way[i]] = v[i]
                }
                for (i = 1; i <= n; i++)
                    printf "%-24s %-12s %7.1f ms %8d\n", name, order[i],
                           gap[order[i]], lost[order[i]]
            }'
done
exit "$failed"
