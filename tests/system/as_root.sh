#!/bin/bash
# as_root.sh COMMAND... - runs a command as root, or as what is root in a user namespace
#
# The daemon is not dumpable, so the kernel keeps its /proc/PID/fd from its own user; not from the
# root of the namespace in which it was started. Exit 77 where neither is to be had.
set -euo pipefail
if [ "$(id -u)" -eq 0 ]; then
    exec "$@"
fi
if ! why=$(unshare -Ur true 2>&1); then
    echo "skipped: not root, and no user namespace of our own: $why"
    exit 77
fi
exec unshare -Ur "$@"
