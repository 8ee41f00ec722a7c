"""nat.py - nftables rules for the kinds of NAT and firewall that home routers are."""

# "full", "addr" and "port" keep the port towards all destinations and differ in who may answer:
# anybody, any port of an address asked before, only who was asked. "sym" and "symrand" take another
# port for each destination. "hairpin" is "full" whose inside may use its outside address.
# "udpblock" lets only TCP to port 443 out. "v6only" is a firewall without translation.
# "symblock" is "sym" within 512 ports, "ranged" has one of these for each socket. "portdrop" is
# "port" whose INPUT chain drops what comes unasked: else conntrack keeps it, and what leaves for
# there later has another port. A carrier's NAT is two routers in a row.
KINDS = ("full", "addr", "port", "portdrop", "sym", "symrand", "symblock", "ranged", "hairpin",
         "udpblock", "v6only")

STATEFUL = """
table {family} filter {{
  chain forward {{
    type filter hook forward priority 0; policy drop;
    {first}
    ct state established,related accept
    ct status dnat accept
    iifname "{lan}" {outgoing} accept
  }}
}}
"""

INPUT = """
table ip filter {{
  chain input {{
    type filter hook input priority 0; policy accept;
    iifname "{wan}" ct state new drop
  }}
}}
"""

SOURCE = """
table ip nat {{
  chain post {{
    type nat hook postrouting priority srcnat;
    oifname "{wan}" {action}
  }}
}}
"""

# Depends on the kernel keeping a client's port: two clients with one source port collide.
CONE = """
table ip nat {{
  map open {{ type {key} : ipv4_addr; flags dynamic,timeout; timeout 5m; size 65535; }}
  chain note {{
    type filter hook forward priority -1;
    iifname "{lan}" oifname "{wan}" meta l4proto udp update @open {{ {learned} : ip saddr }}
  }}
  chain pre {{
    type nat hook prerouting priority dstnat;
    {reach} meta l4proto udp dnat to {asked} map @open
  }}
  chain post {{
    type nat hook postrouting priority srcnat;
    {back}
    oifname "{wan}" snat to {address}
  }}
}}
"""


def cone(kind, wan, lan, address):
    """A port that was used once is open: to all, or to the addresses it was used towards."""
    part = {"wan": wan, "lan": lan, "address": address, "back": ""}
    part |= {"key": "inet_service", "learned": "udp sport", "asked": "udp dport"}
    part["reach"] = f'iifname "{wan}" ip daddr {address}'
    if kind == "addr":
        part |= {"key": "ipv4_addr . inet_service", "learned": "ip daddr . udp sport",
                 "asked": "ip saddr . udp dport"}
    if kind == "hairpin":
        part["reach"] = f"ip daddr {address}"
        part["back"] = f'iifname "{lan}" oifname "{lan}" ct status dnat snat to {address}'
    return CONE.format(**part)


def rules(kind, wan, lan, address):
    """The nft file of a router of @kind; @address is its own on @wan, where strangers reach it."""
    if kind not in KINDS:
        raise ValueError(f'unknown kind of NAT "{kind}": want one of {", ".join(KINDS)}')
    part = {"lan": lan, "family": "ip", "first": "", "outgoing": ""}
    if kind == "v6only":
        return STATEFUL.format(**part | {"family": "inet", "first": "meta l4proto icmpv6 accept"})
    if kind == "udpblock":
        part["outgoing"] = "tcp dport 443"
    text = STATEFUL.format(**part)
    if kind in ("full", "addr", "hairpin"):
        if not address:
            raise ValueError(f'a NAT of kind "{kind}" wants wan_address')
        return text + cone(kind, wan, lan, address)
    if kind == "portdrop":
        text += INPUT.format(wan=wan)
    action = {"sym": "meta l4proto udp masquerade to :20000-60000 fully-random",
              "ranged": "meta l4proto udp masquerade to :20000-20511",
              "symblock": "meta l4proto udp masquerade to :20000-20511 fully-random",
              "symrand": "masquerade random"}.get(kind, "masquerade")
    return text + SOURCE.format(wan=wan, action=action)
