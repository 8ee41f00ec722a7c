#!/bin/bash
# How soon a virtual machine is there, and what its card carries: through two daemons, and beside it
# bare QEMU with the same image and the same options, in the same run. See vm.py for the options.
#
# usage: tests/bench/vm.sh [OPTION...]
#
# Programs of ours come from OMERTA_BIN, else build/dev/bin; the image is made once, in
# OMERTA_VM_CACHE, else build/dev/tests/vm. Exit 77 where a program is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build
exec python3 tests/bench/vm.py "$@"
