#!/bin/bash
# socks-gateway.sh - a browser's proxy whose way to the internet is a peer's
#
# ann and ben are two machines, that is, two network namespaces; only ann has a way to a third,
# which plays a web server on the internet. Without namespaces this cannot be shown: exit 77.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${OMERTA_DEMO_INSIDE:-}" ]; then
    # The build comes first: inside there is no network.
    # shellcheck source=demos/demo.sh
    . demos/demo.sh
    demo_begin "$@"
    built=$(dirname "$demo_bin")
    for program in ip unshare; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || {
            echo "skipped: $program is missing"
            exit 77
        }
    done
    code=0
    OMERTA_DEMO_INSIDE=1 unshare -Urnm --propagation private "$0" --built "$built" || code=$?
    if [ "$code" -eq 1 ] && ! why=$(unshare -Urnm true 2>&1); then
        echo "skipped: no namespaces here: $why"
        code=77
    fi
    exit "$code"
fi
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=demos/demo.sh
. demos/demo.sh
demo_begin "$@"
web=9.9.9.9 ann=10.0.0.1 ben=10.0.0.2

mount -t tmpfs tmpfs /run
for name in ann ben web; do
    ip netns add "$name"
    ip -n "$name" link set lo up
done
ip link add lan netns ann type veth peer name lan netns ben
ip link add wan netns ann type veth peer name wan netns web
ip -n ann address add "$ann/24" dev lan
ip -n ben address add "$ben/24" dev lan
ip -n ann address add 9.9.9.1/32 dev wan # the web is not beside her
ip -n web address add "$web/24" dev wan
for link in ann:lan ben:lan ann:wan web:wan; do
    ip -n "${link%:*}" link set "${link#*:}" up
done
ip -n ann route add "$web" dev wan

mkdir "$demo_work/site"
echo 'a page of the internet' >"$demo_work/site/index.html"
demo_host=web demo_web "$demo_work/site" "$web" 80
echo 'a page of ann, for herself' >"$demo_work/index.html"
demo_host=ann demo_web "$demo_work" 127.0.0.1 8000

printf 'Three machines: ann (%s), ben (%s), and a web server on the internet (%s),\n' \
    "$ann" "$ben" "$web"
printf 'to which only ann has a way. ann and ben are nodes of one network.\n'
demo_daemon ann
id=$("$demo_bin/omerta-meshd" key --home "$demo_work/ann" | awk '{ print $2 }')
port=$(demo_quiet ann status --json | sed -n 's/.*"port": \([0-9]*\).*/\1/p')
demo_daemon ben --bootstrap "$id@$ann:$port"
demo_until demo_quiet ben ping ann -c 1 || demo_fail "ben does not reach ann"
demo_until demo_quiet ann ping ben -c 1 || demo_fail "ann does not reach ben"

# A page as ben sees it: fetch CURL_ARGS...
fetch() {
    printf '\nben$ curl %s\n' "$*"
    ip netns exec ben curl -sS -m 10 "$@" 2>&1 | tee "$demo_work/page"
}

printf '\nben himself does not get there:\n'
fetch "http://$web/" || true
demo_check "without ann ben does not reach the web server" \
    demo_not grep -q 'a page' "$demo_work/page"

printf '\nA proxy of his whose way out is ann; she has not said yes:\n'
demo_say ben proxy 1080 --via ann
fetch --proxy socks5h://127.0.0.1:1080 "http://$web/" || true
demo_check "nobody uses ann's way to the internet unless she says so" \
    demo_not grep -q 'a page' "$demo_work/page"

printf '\nNow she does, for ben only:\n'
demo_say ann expose internet --to ben
fetch --proxy socks5h://127.0.0.1:1080 "http://$web/" || true
demo_check "by SOCKS5 ben reads the page" grep -q 'a page of the internet' "$demo_work/page"
fetch -p --proxy http://127.0.0.1:1080 "http://$web/" || true
demo_check "by HTTP CONNECT, too" grep -q 'a page of the internet' "$demo_work/page"

printf '\nThe internet is not the machine of ann, nor her own networks:\n'
demo_check "the control: ann has a page at 127.0.0.1:8000" \
    ip netns exec ann curl -sS -m 10 http://127.0.0.1:8000/index.html
for host in 127.0.0.1 "$ann" 169.254.169.254 '[::1]'; do
    fetch --proxy socks5h://127.0.0.1:1080 "http://$host:8000/index.html" || true
    demo_check "$host is refused" grep -q '(2)' "$demo_work/page"
done

demo_end
