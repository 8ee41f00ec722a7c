#!/bin/bash
# tidy.sh BUILD_DIR - clang-tidy over every C file that BUILD_DIR compiles, on all cores.
# Prints findings only. Exit: 0 clean, 1 findings, 2 without a build, 77 without clang-tidy.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${1:-$root/build/dev}

if ! command -v clang-tidy >/dev/null; then
    echo "tidy: skipped: clang-tidy is not installed"
    exit 77
fi
if [ ! -f "$build/compile_commands.json" ]; then
    echo "tidy: $build has no compile_commands.json: configure it first" >&2
    exit 2
fi

# Only files of the tree: what is fetched into the build folder is not ours to judge. And each
# once: a file of several programs has several commands, and clang-tidy would follow every one.
list() {
    python3 - "$build/compile_commands.json" "$root" "$work" <<'PY'
import json, os, sys
with open(sys.argv[1], encoding="utf-8") as f:
    files = {os.path.realpath(os.path.join(e["directory"], e["file"])): e for e in json.load(f)}
with open(os.path.join(sys.argv[3], "compile_commands.json"), "w", encoding="utf-8") as f:
    json.dump(list(files.values()), f)
root = os.path.realpath(sys.argv[2]) + "/"
build = os.path.dirname(os.path.realpath(sys.argv[1])) + "/"
for name in sorted(n for n in files
                   if n.endswith(".c") and n.startswith(root) and not n.startswith(build)):
    sys.stdout.write(name + "\0")
PY
}

# One file: its findings with paths from the top level. A file that clang-tidy cannot read counts.
one() {
    local words
    if words=$(clang-tidy --quiet -p "$1" "$3" 2>/dev/null); then
        return 0
    fi
    printf '%s\n' "${words:-$3:1: clang-tidy fails without a word}" | sed "s|^$2/||"
    return 1
}
export -f one

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
list >"$work/files" || exit 1
if [ ! -s "$work/files" ]; then
    echo "tidy: $build compiles nothing of $root"
    exit 1
fi
xargs -0 -P "$(nproc)" -I FILE bash -c 'one "$@"' one "$work" "$root" FILE <"$work/files" || exit 1
