# shellcheck shell=bash disable=SC2154 # what it reads is set where it is sourced
# quickstart_hosts.sh - five machines and the routers between them, out of network namespaces
#
# Sourced after demo.sh, in network and mount namespaces of our own: they end with the last process
# in them, so nothing is taken down here. Public-looking addresses, because a router that maps ports
# refuses to map them on a private one.

# All of it, as it is printed.
hosts_picture() {
    cat <<'END'

  ben ------ router ---------------+
  192.168.1.2  (UPnP, NAT-PMP)     |
               11.0.0.1            |
                                the internet ------ hub
  ann ---+                         |                11.0.0.9, no NAT:
  192.168.2.2                      |                relay, bootstrap
         gate ------- carrier -----+
  nas ---+            11.0.0.2, a NAT as well
  192.168.2.3, of ann's household, in no network of ours
END
}

# A machine for each NAME, its loopback up.
hosts_make() {
    local name
    for name in "$@"; do
        ip netns add "$name"
        ip -n "$name" link set dev lo up
    done
}

# A cable between two machines: hosts_cable LEFT INTERFACE RIGHT INTERFACE
hosts_cable() {
    ip link add name "$2" netns "$1" type veth peer name "$4" netns "$3"
    ip -n "$1" link set dev "$2" up
    ip -n "$3" link set dev "$4" up
}

# A switch inside NAME, and a cable to it from each MACHINE:INTERFACE.
hosts_switch() {
    local name=$1 switch=$2 each family knob
    shift 2
    ip -n "$name" link add name "$switch" type bridge forward_delay 0
    ip -n "$name" link set dev "$switch" up
    # A bridge that asks nftables would translate what stays in its own LAN.
    for family in ip ip6 arp; do
        knob=/proc/sys/net/bridge/bridge-nf-call-${family}tables
        ip netns exec "$name" sh -c "[ ! -e $knob ] || echo 0 >$knob"
    done
    for each in "$@"; do
        hosts_cable "$name" "to-${each%:*}" "${each%:*}" "${each#*:}"
        ip -n "$name" link set dev "to-${each%:*}" master "$switch"
    done
}

# hosts_address NAME INTERFACE ADDRESS/LENGTH [GATEWAY]
hosts_address() {
    ip -n "$1" address add "$3" dev "$2"
    [ $# -lt 4 ] || ip -n "$1" route add default via "$4"
}

# A router as they are sold: inside "lan", outside "wan"; translates, and lets in only what was
# asked for.
hosts_router() {
    ip netns exec "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    ip netns exec "$1" nft -f - <<'END'
table ip filter {
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "wan" ct state new drop
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    ct status dnat accept
    iifname "lan" accept
  }
}
table ip nat {
  chain post {
    type nat hook postrouting priority srcnat;
    oifname "wan" masquerade
  }
}
END
}

hosts_all() {
    hosts_make internet hub router ben carrier gate ann nas
    hosts_switch internet net hub:eth0 router:wan carrier:wan
    hosts_cable router lan ben eth0
    hosts_cable carrier lan gate wan
    hosts_switch gate lan ann:eth0 nas:eth0
    hosts_address hub eth0 11.0.0.9/24
    hosts_address router wan 11.0.0.1/24
    hosts_address router lan 192.168.1.1/24
    hosts_address ben eth0 192.168.1.2/24 192.168.1.1
    hosts_address carrier wan 11.0.0.2/24
    hosts_address carrier lan 100.64.0.1/24
    hosts_address gate wan 100.64.0.2/24 100.64.0.1
    hosts_address gate lan 192.168.2.1/24
    hosts_address ann eth0 192.168.2.2/24 192.168.2.1
    hosts_address nas eth0 192.168.2.3/24 192.168.2.1
    hosts_router router
    hosts_router carrier
    hosts_router gate
}

# ben's router maps ports from now on, as its owner switches on: miniupnpd.
hosts_upnp() {
    local conf=$demo_work/miniupnpd.conf
    # Where it puts its rules: what it maps is let through.
    ip netns exec router nft -f - <<'END'
table inet miniupnpd {
  chain forwarding { }
  chain mapping { }
  chain leaving { }
  chain forward { type filter hook forward priority -25; policy accept; jump forwarding; }
  chain pre { type nat hook prerouting priority dstnat; policy accept; jump mapping; }
  chain post { type nat hook postrouting priority srcnat; policy accept; jump leaving; }
}
END
    cat >"$conf" <<'END'
ext_ifname=wan
listening_ip=lan
port=5000
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
system_uptime=yes
uuid=5e2e6d7a-6a0f-4b0c-9c55-000000000002
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=forwarding
upnp_nat_chain=mapping
upnp_nat_postrouting_chain=leaving
allow 1024-65535 192.168.1.0/24 1024-65535
END
    ip netns exec router miniupnpd -d -f "$conf" -P "$conf.pid" >"$demo_work/miniupnpd.log" \
        2>&1 </dev/null &
    demo_pids+=($!)
    demo_until hosts_maps || demo_fail "miniupnpd does not listen"
}

hosts_maps() {
    ip netns exec router ss -uln | grep -q ':5351 '
}
