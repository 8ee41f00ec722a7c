#!/bin/bash
# encryption-audit.sh - daemons that were sabotaged, packets that are malformed, a session captured
#
# Three hosts in network namespaces. Eight patches are applied to a copy of the sources, each is
# built into a real daemon that meets an honest one, and it is shown who notices; then a daemon with
# a live session is sent what it must drop; then a whole session is captured, and searched for all
# that is known of it. encryption-audit/audit.py tells it; each claim has its control.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demos/demo.sh
. demos/demo.sh
demo_begin "$@"
tests/lab/run.sh true >"$demo_work/why" || {
    cat "$demo_work/why"
    exit 77
}
# In the background, so that Ctrl-C is heard at once; demo_finish ends it by its number.
tests/lab/run.sh python3 demos/encryption-audit/audit.py "$(dirname "$demo_bin")" </dev/null &
demo_pids+=($!)
wait $!
