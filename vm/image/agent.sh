#!/bin/bash
# agent.sh OUT - puts the agent of guests there: that beside this script, where the tree was built
# or installed; else, in the source tree, one that is compiled now
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
if [ -f "$here/agent" ]; then
    cp -L "$here/agent" "$1"
elif [ -f "$here/../guest/compile.sh" ]; then
    "$here/../guest/compile.sh" "$1"
else
    echo "agent.sh: the agent of guests is not installed beside $here/build.sh" >&2
    exit 1
fi
