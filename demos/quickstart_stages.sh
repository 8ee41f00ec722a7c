# shellcheck shell=bash disable=SC2154 # what it reads is set where it is sourced
# quickstart_stages.sh - the stages of the quickstart: what each took, and how many checks it held
#
# Sourced after demo.sh. The lines are in a file of $demo_work, because the story may be told by
# another process than the one that prints the table: seconds, held, failed, name; one stage each.
quick_name=""

# Ends the stage before, if there is one, and begins this: quick_stage NAME
quick_stage() {
    quick_end
    quick_name=$1
    quick_start=$EPOCHREALTIME
    demo_held=0 demo_failed=0
    printf '\n== %s ==\n' "$1"
}

quick_end() {
    if [ -n "$quick_name" ]; then
        quick_note "$quick_name" "$quick_start"
        quick_name=""
    fi
}

# A stage that has no checks of its own: quick_note NAME START, an EPOCHREALTIME
quick_note() {
    printf '%s\t%d\t%d\t%s\n' "$(om_elapsed "$2")" "$demo_held" "$demo_failed" "$1" \
        >>"$demo_work/stages"
    demo_held=0 demo_failed=0
}

quick_table() {
    quick_end
    printf '\n%10s  %6s  %6s  %s\n' TOOK HELD FAILED STAGE
    awk -F '\t' '{ printf "%10s  %6d  %6d  %s\n", $1, $2, $3, $4
        took += $1; held += $2; failed += $3 }
        END { printf "%8.1f s  %6d  %6d  %s\n", took, held, failed, "all of it" }' \
        "$demo_work/stages"
}

quick_all_held() {
    awk -F '\t' '{ failed += $3 } END { exit failed > 0 }' "$demo_work/stages"
}

# What is not shown, and why; said at the end: quick_leave_out WHAT WHY
quick_leave_out() {
    printf 'Left out: %s: %s.\n' "$1" "$2" >>"$demo_work/left_out"
}

# The same where this machine is why, and no option: the exit code tells, too.
quick_lack() {
    quick_leave_out "$@"
    touch "$demo_work/lacks"
}

# Was a process told of FOLDER when it was started? (grep reads it, and is not told.)
quick_is_told() {
    local all=(/proc/[0-9]*/cmdline)
    grep -qszaF --file=- "${all[@]}" <<<"$1"
}
