#!/bin/bash
# port-forward.sh - a web server on one node, opened from another as if it were local
#
# Two homes in a folder of their own, two real daemons on the loopback, Python's web server, curl.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demos/demo.sh
. demos/demo.sh
demo_begin "$@"

mkdir "$demo_work/site"
head -c 20000000 /dev/urandom >"$demo_work/site/file"
demo_web "$demo_work/site" 127.0.0.1
web=$demo_port

printf 'ann and ben are nodes of one network. ann runs a web server on port %s,\n' "$web"
printf 'for herself: it listens at 127.0.0.1 and nowhere else.\n'
demo_pair

printf '\nNobody reaches anything of ann unless she says so:\n'
demo_fails ben nc ann "$web"
demo_check "without a rule of ann the port cannot be reached" test "$demo_code" -ne 0
demo_check "and ben is told what ann would have to do" \
    grep -q "omerta expose $web --to" "$demo_work/said"

printf '\nSo she does, for ben only:\n'
demo_say ann expose "$web" --to ben
demo_say ann expose list

printf '\nFor ben a port of his own machine now leads there:\n'
demo_say ben forward add -L "0:ann:$web"
local=$(demo_number ben listen)
demo_run curl -sS --noproxy '*' -o "$demo_work/got" "http://127.0.0.1:$local/file"
demo_check "20 MB came through the forward unchanged" cmp "$demo_work/site/file" "$demo_work/got"
demo_say ben forward list

printf '\nOr by name, through a proxy that any browser can be told of:\n'
demo_say ben proxy 0
proxy=$(demo_number ben listen)
rm "$demo_work/got"
demo_run curl -sS -o "$demo_work/got" --proxy "socks5h://127.0.0.1:$proxy" \
    "http://ann.omerta:$web/file"
demo_check "and through the proxy, by ann's name" cmp "$demo_work/site/file" "$demo_work/got"

printf '\nann takes it back:\n'
demo_say ann expose remove 1
demo_check "and nothing is reached any more" \
    demo_not curl -sS --noproxy '*' -m 10 -o /dev/null "http://127.0.0.1:$local/file"

demo_end
