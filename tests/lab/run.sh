#!/bin/bash
# run.sh COMMAND... - runs a command where network namespaces can be made
#
# As root: here. Else inside a user, network and mount namespace of its own, with a /run to write
# to. Exit 77, with the reason, where neither works; else the command's own.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
export PATH
if [ "$(id -u)" -eq 0 ]; then
    exec "$@"
fi
inside=(unshare -Urnm --propagation private)
if ! why=$("${inside[@]}" mount -t tmpfs tmpfs /run 2>&1); then
    echo "skipped: not root, and no user namespace of our own: $why"
    exit 77
fi
# shellcheck disable=SC2016 # the inner shell expands it
exec "${inside[@]}" sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' run.sh "$@"
