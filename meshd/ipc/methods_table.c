/* methods_table.c - the table, and nothing else. */
#include "ipc/methods.h"

#include <omerta/attr.h>

#define NETWORK                                                                                    \
    {                                                                                              \
        "network", OM_PARAM_NETWORK, false, "of several, which"                                    \
    }
#define PEER                                                                                       \
    {                                                                                              \
        "peer", OM_PARAM_PEER, true, "full id, its start (4 or more characters), name, or self"    \
    }

#define PROVIDER                                                                                   \
    {                                                                                              \
        "peer", OM_PARAM_PEER, false, "the provider, as peers are named elsewhere"                 \
    }
#define VM                                                                                         \
    {                                                                                              \
        "vm", OM_PARAM_STRING, false, "its id, or the start of it; else the only one"              \
    }

/* What provide.set and provide.show answer. */
#define PROVIDED                                                                                   \
    {                                                                                              \
        {"on", OM_PARAM_BOOL, true, "machines are provided"},                                      \
            {"to", OM_PARAM_STRINGS, true, "to these peers, besides this node"},                   \
            {"owner_first", OM_PARAM_BOOL, true, "own machines may end those of others"},          \
            {"limits", OM_PARAM_OBJECT, false, "of vm, peer, network and all"},                    \
            {"max_lease", OM_PARAM_STRING, true, "no machine lives longer"},                       \
            {"rate", OM_PARAM_INTEGER, true, "bytes a second of each, each way; 0: any number"},   \
            {"gate", OM_PARAM_STRING, true, "conntrack, filtered or sampled"},                     \
            {"violations", OM_PARAM_STRING, true, "log, warn, pause or kill"},                     \
            {"pause", OM_PARAM_STRING, true, "how long a pause lasts"},                            \
            {"accel", OM_PARAM_STRING, true, "auto, kvm or tcg: what is tried"},                   \
            {"used", OM_PARAM_OBJECT, true, "vms, cpus, memory, disk (MiB) taken now"},            \
            {"engine", OM_PARAM_STRING, true, "kvm, tcg, none or unknown"},                        \
            {"reason", OM_PARAM_STRING, true, "why that one"},                                     \
            {"hint", OM_PARAM_STRING, true, "what is in the way of it here, or nothing"},          \
    }

/* What the methods about rules answer. */
#define FILTERS                                                                                    \
    {                                                                                              \
        {"default", OM_PARAM_STRING, true, "allow, deny or ask: when no rule holds"},              \
            {"rules", OM_PARAM_OBJECTS, true, "as in filters.json; the first that holds decides"}, \
            {"kept", OM_PARAM_BOOL, true, "there is a filters.json"},                              \
    }

/* What the methods that decide on a request answer. */
#define DECIDED                                                                                    \
    {                                                                                              \
        {"vm", OM_PARAM_STRING, true, "its id"}, {"allowed", OM_PARAM_BOOL, true, "the word"},     \
    }

/* The request that waits. */
#define WAITING                                                                                    \
    {                                                                                              \
        {"vm", OM_PARAM_STRING, true, "its id, or the start of it"},                               \
    }

static const struct om_ipc_method table[] = {
    {.name = "approvals.allow",
     .summary = "Let the peer have the machine that it waits for",
     .params = WAITING,
     .reply = DECIDED},
    {.name = "approvals.deny", .summary = "Refuse it", .params = WAITING, .reply = DECIDED},
    {.name = "approvals.list",
     .summary = "Requests for machines that wait for the owner of this node; notifications"
                " \"approval\" tell of each, with its state: waiting, allowed, denied, expired or"
                " withdrawn",
     .reply = {{"approvals", OM_PARAM_OBJECTS, true,
                "vm, peer, network, why, description, image, cpus, memory_mib, disk_mib, ttl_s,"
                " egress, left_s (to decide) of each"}}},
    {.name = "config.reload",
     .summary = "Read the configuration again; all of it takes effect, or nothing",
     .reply = {{"changed", OM_PARAM_OBJECTS, true, "key, was, is, needs_restart of each change"}}},
    {.name = "config.show",
     .summary = "The configuration in force",
     .reply = {{"file", OM_PARAM_STRING, true, "where it was read from"},
               {"config", OM_PARAM_OBJECT, true, "value of each key, as text"}}},
    {.name = "doctor.daemon",
     .summary = "What only the daemon can check",
     .reply = {{"checks", OM_PARAM_OBJECTS, true, "check, state (ok, warn), what, fix of each"}}},
    {.name = "events.subscribe",
     .summary = "Be told what happens, as notifications whose method is the kind",
     .params = {{"kinds", OM_PARAM_STRINGS, false, "only these; none: all"}},
     .reply = {{"subscribed", OM_PARAM_BOOL, true, "true"}}},
    {.name = "events.unsubscribe",
     .summary = "Be told nothing any more",
     .reply = {{"subscribed", OM_PARAM_BOOL, true, "false"}}},
    {.name = "expose.add",
     .summary = "Let peers reach a port of this machine, or the internet as seen from it",
     .params = {{"port", OM_PARAM_INTEGER, false, "by which peers call it"},
                {"listen", OM_PARAM_STRING, false,
                 "[ADDRESS:]PORT where they may have us listen; port 0: any from 1024"},
                {"to", OM_PARAM_STRINGS, true, "peers; * is everybody in a closed network"},
                {"host", OM_PARAM_STRING, false, "that is connected to; default 127.0.0.1"},
                {"to_port", OM_PARAM_INTEGER, false, "of that host; default port"},
                {"internet", OM_PARAM_BOOL, false, "no port, but public addresses"},
                {"also", OM_PARAM_STRINGS, false, "and these ranges of our own networks"},
                {"udp", OM_PARAM_BOOL, false,
                 "of UDP, also with listen; else of TCP; not with internet, which is both"},
                {"keep", OM_PARAM_BOOL, false, "after a restart, too"},
                {"rate", OM_PARAM_INTEGER, false,
                 "bytes per second of each peer, each way; not with listen"},
                {"max_connections", OM_PARAM_INTEGER, false,
                 "open at once, of each peer; not with listen"},
                NETWORK},
     .reply = {{"id", OM_PARAM_INTEGER, true, "for expose.remove"},
               {"port", OM_PARAM_INTEGER, true, "by which peers call it; 0: the internet"},
               {"to", OM_PARAM_STRINGS, true, "who may"},
               {"host", OM_PARAM_STRING, true, "that is connected to"},
               {"to_port", OM_PARAM_INTEGER, true, "of that host"},
               {"internet", OM_PARAM_BOOL, true, "public addresses instead of a port"},
               {"also", OM_PARAM_STRINGS, true, "and these ranges"},
               {"listen", OM_PARAM_STRING, true, "where they may have us listen, or empty"},
               {"udp", OM_PARAM_BOOL, true, "of UDP; else of TCP"},
               {"keep", OM_PARAM_BOOL, true, "after a restart, too"},
               {"rate", OM_PARAM_INTEGER, false,
                "bytes per second of each peer, each way; else no limit"},
               {"max_connections", OM_PARAM_INTEGER, true, "open at once, of each peer"},
               {"network", OM_PARAM_STRING, true, "its name"},
               {"open", OM_PARAM_INTEGER, true, "connections now"},
               {"total", OM_PARAM_INTEGER, true, "connections so far"},
               {"failed", OM_PARAM_INTEGER, true, "of these, not made"},
               {"bytes_sent", OM_PARAM_INTEGER, true, "to peers"},
               {"bytes_received", OM_PARAM_INTEGER, true, "from peers"},
               {"last_error", OM_PARAM_STRING, true, "of the last that failed"}}},
    {.name = "expose.list",
     .summary = "What peers can reach of this machine",
     .reply = {{"exposed", OM_PARAM_OBJECTS, true, "each as the reply of expose.add"}}},
    {.name = "expose.remove",
     .summary = "No longer let anybody reach it; connections end",
     .params = {{"id", OM_PARAM_INTEGER, true, "of expose.list"}},
     .reply = {{"removed", OM_PARAM_INTEGER, true, "its id"}}},
    {.name = "expose.usage",
     .summary = "What each peer did with what it can reach; listen is not counted",
     .reply = {{"usage", OM_PARAM_OBJECTS, true,
                "id, port, internet, udp and network as of expose.list; peer, open, total, refused,"
                " bytes_sent, bytes_received, datagrams, dropped (beyond the rate), first_used,"
                " last_used"}}},
    {.name = "filter.add",
     .summary = "One more rule on who may have virtual machines here",
     .params = {{"rule", OM_PARAM_OBJECT, true,
                 "as in filters.json; peers and networks may be named as elsewhere"},
                {"before", OM_PARAM_STRING, false, "the name of another; else it is the last"}},
     .reply = FILTERS},
    {.name = "filter.default",
     .summary = "What is done when no rule holds",
     .params = {{"then", OM_PARAM_STRING, true, "allow, deny or ask"}},
     .reply = FILTERS},
    {.name = "filter.list",
     .summary = "The rules on who may have virtual machines here",
     .reply = FILTERS},
    {.name = "filter.remove",
     .summary = "Forget a rule",
     .params = {{"name", OM_PARAM_STRING, true, "of the rule"}},
     .reply = FILTERS},
    {.name = "filter.reputation",
     .summary = "What earlier machines of peers came to",
     .reply = {{"peers", OM_PARAM_OBJECTS, true,
                "peer, reputation (0 to 100; 50 is who is unknown) of each"}}},
    {.name = "filter.test",
     .summary = "What the rules would say to a request, and which of them decides",
     .params = {{"peer", OM_PARAM_PEER, true, "who would ask"},
                NETWORK,
                {"cpus", OM_PARAM_INTEGER, false, "of the request; default 1"},
                {"memory", OM_PARAM_STRING, false, "as 512M; a bare number is MiB"},
                {"disk", OM_PARAM_STRING, false, "as 2G"},
                {"ttl", OM_PARAM_STRING, false, "lease, as 1h"},
                {"description", OM_PARAM_STRING, false, "what it is for"},
                {"egress", OM_PARAM_STRING, false, "none or internet"},
                {"at", OM_PARAM_STRING, false, "the time of day, as 23:30; default: now"},
                {"address", OM_PARAM_STRING, false, "of the peer; default: where it is now"},
                {"reputation", OM_PARAM_INTEGER, false, "of the peer; default: as it is"}},
     .reply = {{"verdict", OM_PARAM_STRING, true, "allow, deny or ask"},
               {"rule", OM_PARAM_STRING, false, "that decides; null: none holds"},
               {"text", OM_PARAM_STRING, true, "the same for people"},
               {"peer", OM_PARAM_STRING, true, "its id"},
               {"at", OM_PARAM_STRING, true, "the time of day"},
               {"address", OM_PARAM_STRING, true, "of the peer, or empty"},
               {"reputation", OM_PARAM_INTEGER, true, "of the peer"}}},
    {.name = "forward.add",
     .summary = "Listen on a local port whose connections go to a peer, or which is a proxy or a "
                "DNS server",
     .params = {{"listen", OM_PARAM_STRING, true, "[ADDRESS:]PORT; default address 127.0.0.1"},
                {"peer", OM_PARAM_PEER, false,
                 "where to; of a proxy or a DNS server: the gateway, or none"},
                {"port", OM_PARAM_INTEGER, false, "of the peer"},
                {"host", OM_PARAM_STRING, false, "on the internet as seen from the peer"},
                {"link", OM_PARAM_STRING, false,
                 "the port is of what is behind this link of the peer, which leads to us"},
                {"proxy", OM_PARAM_BOOL, false, "speak SOCKS5, with its UDP, and HTTP CONNECT"},
                {"user", OM_PARAM_STRING, false, "who may use the proxy; else everybody"},
                {"password", OM_PARAM_STRING, false, "of that user; no reply shows it"},
                {"dns", OM_PARAM_BOOL, false, "answer DNS questions, over UDP and TCP"},
                {"remote", OM_PARAM_BOOL, false,
                 "the peer listens, and port is of host, 127.0.0.1 unless given, seen from here"},
                {"udp", OM_PARAM_BOOL, false, "of UDP; else of TCP"},
                {"keep", OM_PARAM_BOOL, false, "after a restart, too"},
                NETWORK},
     .reply = {{"id", OM_PARAM_INTEGER, true, "for forward.remove"},
               {"listen", OM_PARAM_STRING, true, "address and port"},
               {"peer", OM_PARAM_STRING, false, "where to, or the gateway"},
               {"port", OM_PARAM_INTEGER, true, "of the peer; 0: a proxy, or DNS"},
               {"host", OM_PARAM_STRING, true, "as seen from the peer, or empty"},
               {"link", OM_PARAM_STRING, true, "of the peer, or empty"},
               {"proxy", OM_PARAM_BOOL, true, "speaks SOCKS5 and HTTP CONNECT"},
               {"user", OM_PARAM_STRING, false, "who may use the proxy; null: everybody"},
               {"dns", OM_PARAM_BOOL, true, "answers DNS questions"},
               {"remote", OM_PARAM_BOOL, true, "the peer listens, and it leads here"},
               {"kind", OM_PARAM_STRING, true,
                "local, proxy, dns, remote, or guest (the peer asked for it)"},
               {"up", OM_PARAM_BOOL, true,
                "somebody listens; else, like a kept one whose port is taken, it is tried again"},
               {"udp", OM_PARAM_BOOL, true, "of UDP; else of TCP"},
               {"keep", OM_PARAM_BOOL, true, "after a restart, too"},
               {"network", OM_PARAM_STRING, true, "its name"},
               {"open", OM_PARAM_INTEGER, true, "connections now"},
               {"total", OM_PARAM_INTEGER, true, "connections so far"},
               {"failed", OM_PARAM_INTEGER, true, "of these, not made"},
               {"bytes_sent", OM_PARAM_INTEGER, true, "to peers"},
               {"bytes_received", OM_PARAM_INTEGER, true, "from peers"},
               {"last_error", OM_PARAM_STRING, true,
                "of the last that failed, or why it is not up; empty once it works again"}}},
    {.name = "forward.list",
     .summary = "Local ports that lead to peers",
     .reply = {{"forwards", OM_PARAM_OBJECTS, true, "each as the reply of forward.add"}}},
    {.name = "forward.remove",
     .summary = "Listen no longer; TCP connections live on, flows of UDP end",
     .params = {{"id", OM_PARAM_INTEGER, true, "of forward.list"}},
     .reply = {{"removed", OM_PARAM_INTEGER, true, "its id"}}},
    {.name = "health.probe",
     .summary = "Measure round trips and loss to a peer, both ways",
     .params = {PEER,
                NETWORK,
                {"count", OM_PARAM_INTEGER, false, "probes, 1 to 100; default 20"},
                {"size", OM_PARAM_INTEGER, false, "bytes of each, 17 to 9000; default 17"}},
     .reply = {{"peer", OM_PARAM_STRING, true, "its id"},
               {"sent", OM_PARAM_INTEGER, true, "probes sent"},
               {"echoed", OM_PARAM_INTEGER, true, "that came back"},
               {"lost_there", OM_PARAM_INTEGER, true, "lost on the way there, by the peer's word"},
               {"lost_back", OM_PARAM_INTEGER, true, "lost on the way back"},
               {"rtt_min_ms", OM_PARAM_NUMBER, false, "round trips"},
               {"rtt_avg_ms", OM_PARAM_NUMBER, false, "the same"},
               {"rtt_max_ms", OM_PARAM_NUMBER, false, "the same"},
               {"rtt_p95_ms", OM_PARAM_NUMBER, false, "the same"}}},
    {.name = "links.list",
     .summary = "Links whose packets end here and go on through tunnels",
     .reply = {{"links", OM_PARAM_OBJECTS, true,
                "of each: id, name, kind (ip or ether), mtu, dns, dhcp, inward, network, peer; "
                "here, there, here6, there6: its addresses; flows, udp_flows: now; opened, "
                "refused, unroutable: connections so far; inward_flows, inward_opened, "
                "inward_refused: those of the peer; frames_in, frames_out, bytes_in, bytes_out; "
                "out_full: packets that its program did not read in time; udp_dropped: datagrams; "
                "dhcp_answered, dhcp_dropped: questions of its card about addresses; dropped: "
                "packets of the link that may not pass, by the reason; rogue_score: of those of "
                "late; gate, rate, held, captured: as vm.traffic; acks_joined: acknowledgements "
                "for its program whose place a later one took; last_error: of the last that was "
                "refused"}}},
    {.name = "log.level",
     .summary = "Which log lines are written, until the next start; without a level, only say it",
     .params = {{"level", OM_PARAM_STRING, false, "error, warn, info, debug or trace"}},
     .reply = {{"level", OM_PARAM_STRING, true, "in force"}}},
    {.name = "log.tail",
     .summary = "The newest lines of the log file; without one, of the event log",
     .params = {{"lines", OM_PARAM_INTEGER, false, "1 to 1000; default 50"}},
     .reply = {{"file", OM_PARAM_STRING, true, "where they are"},
               {"lines", OM_PARAM_STRINGS, true, "oldest first"}}},
    {.name = "message.list",
     .summary = "Messages that came and went lately, oldest first",
     .params = {{"limit", OM_PARAM_INTEGER, false, "only so many, the newest"},
                {"unread", OM_PARAM_BOOL, false, "only those that came and were not read"}},
     .reply = {{"messages", OM_PARAM_OBJECTS, true,
                "id, peer, direction (in, out), state, reason, at, text of each"}}},
    {.name = "message.read",
     .summary = "Mark a message that came as read, and tell its sender",
     .params = {{"id", OM_PARAM_STRING, true, "32 hex digits"}},
     .reply = {{"id", OM_PARAM_STRING, true, "and the rest of the message, as message.list"}}},
    {.name = "message.send",
     .summary = "Send a text to a peer, now or when it comes back",
     .params = {PEER,
                NETWORK,
                {"text", OM_PARAM_STRING, true, "UTF-8, at most 16 KiB"},
                {"wait", OM_PARAM_BOOL, false, "answer when it was delivered, rejected or failed"}},
     .reply = {{"id", OM_PARAM_STRING, true, "and the rest of the message, as message.list"}}},
    {.name = "methods.list",
     .summary = "This table",
     .reply = {{"methods", OM_PARAM_OBJECTS, true, "name, summary, params, reply of each"}}},
    {.name = "metrics.show",
     .summary = "Everything that is counted, as Prometheus reads it",
     .reply = {{"text", OM_PARAM_STRING, true, "text exposition format 0.0.4"}}},
    {.name = "netcheck",
     .summary = "How this node is connected, and how strangers may reach it",
     .params = {NETWORK,
                {"measure", OM_PARAM_BOOL, false,
                 "ask up to 8 peers anew; what they say is in the next reply"}},
     .reply = {{"checks", OM_PARAM_OBJECTS, true, "check, result, what of each, for people"},
               {"udp", OM_PARAM_OBJECT, true, "as status"},
               {"routes", OM_PARAM_OBJECT, true, "ipv4, ipv6: there is a default route"},
               {"portmap", OM_PARAM_OBJECT, true,
                "of the router's mapping of our port: state (off, asking, held, waiting), text, "
                "protocol (nat-pmp, upnp), external, expires_s, again_s (until it is asked next), "
                "tried (protocol, result, why, external, age_s of each)"},
               {"families", OM_PARAM_OBJECTS, true,
                "ipv4, then ipv6: family, heard (somebody far away was), blocked, asked (in vain),"
                " asked_s, nat (open, eim, stride, block, random, dead, unknown), text, believed,"
                " samples, witnesses, first_port, last_port, stride, ports (shared, exclusive,"
                " unknown), lets_in (anybody, address, port, unknown), hairpin (yes, no, unknown),"
                " seen (our addresses, as others see us), lives_s, dies_s (bounds of how long a"
                " mapping outlives silence) of each"},
               {"relays", OM_PARAM_OBJECTS, true,
                "those kept ready first, then the nearest: id, name, address, warm, home (asked"
                " first), rtt_ms of each"},
               {"problem", OM_PARAM_STRING, false,
                "a sentence when nobody far away answers over UDP"},
               {"measured", OM_PARAM_INTEGER, true, "peers that were asked anew"}}},
    {.name = "networks.list",
     .summary = "The networks of this home",
     .reply = {{"networks", OM_PARAM_OBJECTS, true,
                "name, id, self, open, peers, connected, gossip (records, items, bytes, rumours_in,"
                " rumours_out, syncs) of each"}}},
    {.name = "peer.status",
     .summary = "What a peer says of itself",
     .params = {PEER, NETWORK},
     .reply = {{"peer", OM_PARAM_STRING, true, "its id"},
               {"uptime_s", OM_PARAM_NUMBER, false, "of its daemon"},
               {"peers", OM_PARAM_NUMBER, false, "that it knows"},
               {"sessions", OM_PARAM_NUMBER, false, "that it holds"},
               {"version", OM_PARAM_STRING, true, "of its daemon; \"\": unknown"}}},
    {.name = "peers.add",
     .summary = "Know a peer and where it is, and hold a session with it",
     .params = {{"peer", OM_PARAM_STRING, true, "full id"},
                NETWORK,
                {"endpoints", OM_PARAM_STRINGS, false, "IP:PORT, best first, at most 8"}},
     .reply = {{"id", OM_PARAM_STRING, true, "and the rest of the peer, as peers.list"}}},
    {.name = "peers.list",
     .summary = "Everybody known, with or without a session",
     .params = {NETWORK},
     .reply = {{"peers", OM_PARAM_OBJECTS, true,
                "id, short, name, network, connected, path, rtt_ms, cipher, heard_s, endpoints,"
                " sessions, datagrams_in, bytes_in, datagrams_out, bytes_out, relay, latency"
                " (samples, mean_ms, p50_ms, p95_ms, p99_ms, or null), mtu (bytes of the largest"
                " datagram sent to it now, or null) of each"},
               {"problem", OM_PARAM_STRING, false,
                "a sentence when nobody far away answers over UDP"}}},
    {.name = "peers.why",
     .summary = "Why a peer is reached as it is: what was tried, what came of it, what would help",
     .params = {PEER, NETWORK},
     .reply = {{"peer", OM_PARAM_STRING, true, "its id"},
               {"name", OM_PARAM_STRING, true, "its own, or the start of its id"},
               {"connected", OM_PARAM_BOOL, true, "data can go to it"},
               {"relayed", OM_PARAM_BOOL, true, "over a relay"},
               {"summary", OM_PARAM_STRING, true, "a sentence for people"},
               {"udp_blocked", OM_PARAM_BOOL, true, "nobody far away answers over UDP"},
               {"because", OM_PARAM_STRING, true,
                "why the way in use was chosen: first, shaken, better, followed, silent, gone; or"
                " empty"},
               {"since_s", OM_PARAM_NUMBER, false, "it is in use"},
               {"moves", OM_PARAM_INTEGER, true, "of data from one way to another, so far"},
               {"paths", OM_PARAM_OBJECTS, true,
                "active, way (text), address or relay, origin (handshake, heard, said, punched),"
                " state (unproven, valid, failed), rtt_ms, score_ms (less is better),"
                " loss_percent, age_s, heard_s of each"},
               {"attempts", OM_PARAM_OBJECTS, true,
                "the last of them, oldest first: what (handshake, address, lane, punch),"
                " what_text, way (text), address, relay, origin, age_s, times, saw (waiting,"
                " answer, silence, another, refusal, ended, unasked), reason, took_ms, text (what"
                " it saw), punch (plan, ours, theirs, datagrams; or null) of each"},
               {"better", OM_PARAM_OBJECTS, true,
                "what would help, most useful first: hint (udp_blocked, silent, no_address,"
                " no_relay, wait, map_port, open_port, hairpin, ipv6, nearer_relay), n (its"
                " number: questions or milliseconds), text of each"}}},
    {.name = "ping.start",
     .summary =
         "Ping a peer; each answer, and each one that is missing, is a notification \"pong\"",
     .params = {PEER,
                NETWORK,
                {"count", OM_PARAM_INTEGER, false, "1 to 256; default 4"},
                {"interval", OM_PARAM_NUMBER, false, "seconds between them; default 1"}},
     .reply = {{"run", OM_PARAM_INTEGER, true, "number that the notifications bear"},
               {"peer", OM_PARAM_STRING, true, "its id"},
               {"count", OM_PARAM_INTEGER, true, "notifications to come"}}},
    {.name = "provide.set",
     .summary = "Let peers, and this node itself, have virtual machines here, or no longer",
     .params = {{"on", OM_PARAM_BOOL, true, "provide them"},
                {"vms", OM_PARAM_INTEGER, false, "at most, all together"},
                {"cpus", OM_PARAM_INTEGER, false, "of all together"},
                {"memory", OM_PARAM_STRING, false, "of all together, as 4G or 512M"},
                {"disk", OM_PARAM_STRING, false, "of all together"},
                {"each_vm", OM_PARAM_OBJECT, false, "cpus, memory, disk of one machine"},
                {"each_peer", OM_PARAM_OBJECT, false, "vms, cpus, memory, disk of one peer"},
                {"each_network", OM_PARAM_OBJECT, false, "the same of one network"},
                {"owner_first", OM_PARAM_BOOL, false,
                 "this node's own machines may end those of others; default: true"},
                {"to", OM_PARAM_STRINGS, false, "peers; * is everybody in a closed network"},
                {"max_lease", OM_PARAM_STRING, false, "no machine lives longer; 24h at first"},
                {"rate", OM_PARAM_INTEGER, false,
                 "bytes a second of each machine that starts from now on, each way; 0: any number"},
                {"gate", OM_PARAM_STRING, false,
                 "of each that starts from now on: conntrack (at first), filtered or sampled"},
                {"violations", OM_PARAM_STRING, false,
                 "what is done about a guest that sends what it may not: log, warn, pause (at"
                 " first) or kill"},
                {"pause", OM_PARAM_STRING, false, "how long a pause lasts; 5m at first"},
                {"accel", OM_PARAM_STRING, false,
                 "auto (at first), tcg: never KVM, or kvm: without a test guest; what failed is"
                 " tried again whenever \"on\" is true"}},
     .reply = PROVIDED},
    {.name = "provide.show", .summary = "What is provided here", .reply = PROVIDED},
    {.name = "providers.list",
     .summary = "Peers that offer virtual machines, the best first",
     .params = {NETWORK,
                {"cpus", OM_PARAM_INTEGER, false, "that a machine is to have"},
                {"memory", OM_PARAM_STRING, false, "as 4G or 512M; a bare number is MiB"},
                {"disk", OM_PARAM_STRING, false, "of its own"},
                {"image", OM_PARAM_STRING, false, "by its name"},
                {"all", OM_PARAM_BOOL, false, "those that do not fit, too, which say why"}},
     .reply =
         {{"providers", OM_PARAM_OBJECTS, true,
           "provider, name, network, fits, why, engine, no_kvm, vms, cpus, memory_mib,"
           " disk_mib, images, more_images, everybody, load (0 to 3), rtt_ms, heard_s, failures of"
           " each"},
          {"dropped", OM_PARAM_INTEGER, true, "offers that made no sense"}}},
    {.name = "status",
     .summary = "How this daemon is",
     .reply =
         {{"version", OM_PARAM_STRING, true, "of the daemon"},
          {"pid", OM_PARAM_INTEGER, true, "its process"},
          {"home", OM_PARAM_STRING, true, "its folder"},
          {"data_socket", OM_PARAM_STRING, true, "where programs open streams and channels"},
          {"started", OM_PARAM_STRING, true, "when, RFC 3339"},
          {"uptime_s", OM_PARAM_NUMBER, true, "since then"},
          {"udp", OM_PARAM_OBJECT, true, "port, ipv4, ipv6, gso, gro, send_errors"},
          {"portmap", OM_PARAM_OBJECT, true, "as netcheck"},
          {"networks", OM_PARAM_OBJECTS, true, "as networks.list"},
          {"peers", OM_PARAM_INTEGER, true, "in the table"},
          {"sessions", OM_PARAM_INTEGER, true, "that can carry data"},
          {"latency_of_peers", OM_PARAM_OBJECTS, true,
           "of up to 256 peers, over half an hour: peer, network, samples, mean_ms, p50_ms, "
           "p95_ms, p99_ms"},
          {"traffic", OM_PARAM_OBJECT, true, "datagrams_in, bytes_in, datagrams_out, bytes_out"},
          {"relay", OM_PARAM_OBJECT, true,
           "on, lanes (our own), lanes_carried (others', open), lanes_ended, offers, refused: "
           "unwilling, full, stranger, rate, silent, denied; carried, bytes_carried, dropped, "
           "over_rate (of those)"},
          {"audit", OM_PARAM_OBJECT, true, "on, sealed, audited, refused"},
          {"drops", OM_PARAM_OBJECT, true, "what was thrown away, by reason"},
          {"wakeups", OM_PARAM_INTEGER, true, "times the loop woke for the node"},
          {"clients", OM_PARAM_INTEGER, true, "of the control socket"}}},
    {.name = "stop",
     .summary = "End the daemon, once everything is saved",
     .reply = {{"stopping", OM_PARAM_BOOL, true, "true"}}},
    {.name = "version",
     .summary = "What answers",
     .reply = {{"version", OM_PARAM_STRING, true, "of the daemon"},
               {"protocol", OM_PARAM_INTEGER, true, "version of the wire protocol"}}},
    {.name = "vm.console",
     .summary = "The last that a machine wrote to its console",
     .params = {VM, PROVIDER, NETWORK},
     .reply = {{"vm", OM_PARAM_STRING, true, "its id"},
               {"text", OM_PARAM_STRING, true, "safe for a terminal"}}},
    {.name = "vm.extend",
     .summary = "Add time to the lease of a machine",
     .params = {VM, PROVIDER, NETWORK, {"ttl", OM_PARAM_STRING, true, "a duration, as 30m"}},
     .reply = {{"vm", OM_PARAM_STRING, true, "its id"},
               {"left_s", OM_PARAM_INTEGER, false, "of its lease"}}},
    {.name = "vm.list",
     .summary =
         "The virtual machines of this node, and those that it provides; of a provider, those"
         " it says are ours",
     .params = {PROVIDER, NETWORK},
     .reply = {{"vms", OM_PARAM_OBJECTS, true,
                "vm, key, network, provider, self, bound, state, end, text, left_s, address,"
                " host_key, engine, image, name, expose, egress, identity of each"},
               {"provided", OM_PARAM_OBJECTS, false,
                "vm, key, consumer, state, end, text, left_s, address, host_key, image, cpus,"
                " memory_mib, disk_mib, engine, pid of each"},
               {"owed", OM_PARAM_INTEGER, false,
                "requests that were not answered in time: what they made is given back"}}},
    {.name = "vm.release",
     .summary = "Give a machine back: it ends, and nothing of it is left",
     .params = {VM, PROVIDER, NETWORK},
     .reply = {{"vm", OM_PARAM_STRING, true, "its id"},
               {"state", OM_PARAM_STRING, true, "of it; notifications \"vm\" tell the rest"}}},
    {.name = "vm.request",
     .summary = "Ask for a virtual machine; what happens to it are notifications \"vm\"",
     .params = {{"peer", OM_PARAM_PEER, false,
                 "the provider, or IP[:PORT], or ID@IP[:PORT]; none: this node itself"},
                {"any", OM_PARAM_BOOL, false,
                 "no \"peer\": ask the best provider, then the next; each is a notification"
                 " \"vm\" with state \"asking\""},
                NETWORK,
                {"key", OM_PARAM_STRING, false, "the same one never makes a second machine"},
                {"cpus", OM_PARAM_INTEGER, false, "default 1"},
                {"memory", OM_PARAM_STRING, false, "as 512M; a bare number is MiB"},
                {"disk", OM_PARAM_STRING, false, "as 2G; default: none"},
                {"image", OM_PARAM_STRING, false, "of the provider's; default mini"},
                {"language", OM_PARAM_STRING, false, "that its image must have, for jobs"},
                {"ttl", OM_PARAM_STRING, false, "lease, as 1h"},
                {"timeout", OM_PARAM_STRING, false, "to be running by then, or not at all"},
                {"description", OM_PARAM_STRING, false, "what it is for"},
                {"ssh_key", OM_PARAM_STRING, false, "who may log in; default: this home's"},
                {"identity", OM_PARAM_STRING, false, "path of its private half, for ssh"},
                {"name", OM_PARAM_STRING, false, "of yours, by which it is known, too"},
                {"expose", OM_PARAM_INTEGERS, false,
                 "ports of this node that the machine may reach, TCP and UDP"},
                {"egress", OM_PARAM_STRING, false,
                 "none (the default), or internet: through this node"},
                {"bound", OM_PARAM_BOOL,
                 false, "released when this connection ends, or says no more"}},
     .reply = {{"vm", OM_PARAM_STRING, true, "its id"},
               {"key", OM_PARAM_STRING, true, "of the request"},
               {"provider", OM_PARAM_STRING, true, "its peer id"},
               {"state", OM_PARAM_STRING, true, "and the rest, as vm.list"}}},
    {.name = "vm.resume",
     .summary = "Let a machine go on that this provider paused",
     .params = {VM},
     .reply = {{"vm", OM_PARAM_STRING, true, "its id"},
               {"state", OM_PARAM_STRING, true, "and the rest, as \"provided\" of vm.list"}}},
    {.name = "vm.traffic",
     .summary = "What a machine sends and gets, as its provider's gate sees it",
     .params = {VM, PROVIDER, NETWORK},
     .reply = {{"vm", OM_PARAM_STRING, true, "its id"},
               {"gate", OM_PARAM_STRING, true, "conntrack, filtered or sampled"},
               {"score", OM_PARAM_INTEGER, true,
                "of what was refused lately: 100 is a warning, 1000 a pause or the end"},
               {"refused", OM_PARAM_OBJECT, true, "packets, by reason"},
               {"flows", OM_PARAM_OBJECTS, true,
                "proto, to, port, from_port, packets_sent, packets_got, bytes_sent, bytes_got,"
                " age_s, silent_s of up to 64, those used last first"},
               {"flow_count", OM_PARAM_INTEGER, true, "that are remembered, 1024 at most"},
               {"flows_forgotten", OM_PARAM_INTEGER, true, "that gave way to others"},
               {"rate", OM_PARAM_INTEGER, true, "bytes a second, each way; 0: any number"},
               {"held", OM_PARAM_INTEGER, true, "times that the guest waited for it"},
               {"packets_sent", OM_PARAM_INTEGER, true, "by the guest, refused ones included"},
               {"packets_got", OM_PARAM_INTEGER, true, "by the guest"},
               {"bytes_sent", OM_PARAM_INTEGER, true, "of these"},
               {"bytes_got", OM_PARAM_INTEGER, true, "of these"},
               {"out_full", OM_PARAM_INTEGER, true, "packets that the guest did not take in time"},
               {"captured", OM_PARAM_INTEGER, true, "frames that were shown to who captures"},
               {"capture_lost", OM_PARAM_INTEGER, true,
                "frames that one of these did not read in time"}}},
};

const struct om_ipc_method *om_methods(unsigned *count)
{
    *count = OM_ARRAY_SIZE(table);
    return table;
}
