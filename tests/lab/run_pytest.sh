#!/bin/bash
# run_pytest.sh FILE - one file of tests with pytest; exit 77 with the reasons if it tested nothing
set -uo pipefail
# Debian's own: another python3 that comes first in PATH does not have Debian's pytest.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import pytest' 2>/dev/null; then
    echo "skipped: $python has no pytest (Debian: python3-pytest)"
    exit 77
fi
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
export PYTHONDONTWRITEBYTECODE=1
"$python" -m pytest -q -rs -p no:cacheprovider "$1" </dev/null 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
summary=$(tail -n 1 "$log")
# 5: there was nothing to collect.
if [ "$status" -eq 5 ] || { [ "$status" -eq 0 ] && [[ ! $summary =~ [0-9]\ passed ]]; }; then
    exit 77
fi
exit "$status"
