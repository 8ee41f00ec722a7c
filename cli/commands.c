/* commands.c - the table. */
#include "commands.h"

#include <string.h>

#include "ipc/nearest.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL, 0                                                                        \
    }

static const struct om_option bugreport_options[] = {
    {"output", "FILE", "where to write it (else omerta-bugreport.txt here; - is the terminal)",
     'o'},
    END};
static const struct om_option cloister_options[] = {
    {"hand", "NETWORK", "give PEER this network of ours instead", 0},
    {"name", "NAME", "what the new network is called in this home", 0},
    END};
static const struct om_option cp_options[] = {
    {"port", "PORT", "of the SSH server there (22)", 'p'},
    {"recursive", NULL, "folders with what is in them", 'r'},
    END};
static const struct om_option dns_options[] = {
    {"gateway", "PEER", "the peer at which names are asked that are no peers'", 'g'},
    {"keep", NULL, "after a restart, too", 'k'},
    END};
static const struct om_option down_options[] = {
    {"purge", NULL, "list everything below the home, then remove it", 0},
    {"yes", NULL, "remove without asking", 'y'},
    END};
static const struct om_option expose_options[] = {
    {"to", "PEER", "who may use it; may be given several times", 0},
    {"udp", NULL, "a port of UDP; else of TCP", 'u'},
    {"also", "RANGE", "with internet: 10.1.0.0/16, too, though it is not public; several times", 0},
    {"rate", "SIZE", "bytes per second of each peer, each way, as 500K or 10M", 0},
    {"max-connections", "N", "that each peer may have open (2048)", 0},
    {"keep", NULL, "after a restart, too", 'k'},
    END};
static const struct om_option filter_options[] = {
    {"name", "NAME", "of the rule, by which refusals and rm call it", 0},
    {"then", "WORD", "what follows: allow, deny or ask", 0},
    {"note", "TEXT", "told to who is refused", 0},
    {"before", "NAME", "place it before that rule, not last", 0},
    {"peer", "PEER", "if one of these asks; may be given several times; of test: who would", 0},
    {"address", "RANGE", "if the peer is reached there, as 192.0.2.0/24; several; of test: one", 0},
    {"cpu-over", "N", "if more processors are asked for", 0},
    {"memory-over", "SIZE", "if more memory is", 0},
    {"disk-over", "SIZE", "if more disk is", 0},
    {"ttl-over", "TIME", "if a longer lease is", 0},
    {"egress", "internet", "if that is asked for", 0},
    {"words", "WORD", "if the description has it; several", 0},
    {"no-description", NULL, "if there is none", 0},
    {"hours", "FROM-TO", "by the local clock, as 22:00-08:00", 0},
    {"reputation-below", "N", "if the peer's is; 50 is who is unknown", 0},
    {"reputation-above", "N", "if the peer's is", 0},
    {"cpu", "N", "test: of the request, as the following", 0},
    {"memory", "SIZE", "of the request", 0},
    {"disk", "SIZE", "of the request", 0},
    {"ttl", "TIME", "of the request", 0},
    {"description", "TEXT", "of the request", 0},
    {"at", "TIME", "as if it were then, 23:30", 0},
    {"reputation", "N", "as if the peer had that", 0},
    END};
static const struct om_option forward_options[] = {
    {"local", "[BIND:]PORT:PEER:PORT", "a port here leads to a port of the peer", 'L'},
    {"remote", "[BIND:]PORT:PEER:PORT", "a port of the peer leads to a port here", 'R'},
    {"udp", NULL, "ports of UDP; else of TCP", 'u'},
    {"keep", NULL, "after a restart, too", 'k'},
    END};
static const struct om_option health_options[] = {
    {"count", "N", "probes to send (3; at most 100)", 'c'},
    {"size", "BYTES", "of each (17; at most 9000): what the path is too small for goes in slices",
     's'},
    END};
static const struct om_option help_options[] = {{"man", NULL, "print the man page", 0}, END};
static const struct om_option image_options[] = {
    {"update", NULL, "ask the mirrors for newer packages", 0},
    {"disk", "FILE", "to add: qcow2 or raw, whose guest has cloud-init", 0},
    {"sha256", "HEX", "what FILE must have", 0},
    {"kernel", "FILE", "for a disk that does not boot by itself", 0},
    {"initrd", "FILE", "with that kernel", 0},
    {"cmdline", "TEXT", "of that kernel", 0},
    {"agent", "WHICH", "omerta: ours is installed by the seed and runs jobs; none (none)", 0},
    {"languages", "WORDS", "of those jobs, as sh,python (sh)", 0},
    {"user", "NAME", "who logs in (root)", 0},
    {"memory", "MIB", "a machine has at least (256)", 0},
    END};
static const struct om_option init_options[] = {
    {"force", NULL, "begin anew; what was there is kept as a backup", 'f'}, END};
static const struct om_option key_options[] = {
    {"name", "NAME", "of the new network in this home; of import, too", 0},
    {"uses", "N", "keys that the link lets in (1; at most 8)", 0},
    {"at", "ADDRESS[:PORT]", "where this node is found (else what is known of it)", 0},
    {"qr", NULL, "show the link as a QR code, too", 0},
    {"password-file", "FILE", "whose first line is the password (-, standard input)", 0},
    {"peer", "ID", "import: whose the link is, where an old one does not say it", 0},
    END};
static const struct om_option log_options[] = {
    {"follow", NULL, "go on with what is logged from now on", 'f'},
    {"lines", "N", "how many of the last lines (50)", 'n'},
    END};
static const struct om_option message_options[] = {
    {"wait", NULL, "until the peer has it, or the daemon gives up: then the exit code is 1", 'w'},
    {"list", NULL, "show the messages received", 'l'},
    END};
static const struct om_option network_options[] = {
    {"name", "NAME", "create, join: what it is called in this home", 0},
    {"as", "NAME", "create, join: what this node is called there (see above)", 0},
    {"open", NULL, "create: whoever has its link is in it, for good", 0},
    {"uses", "N", "invite: members that it makes (1)", 0},
    {"expires", "TIME", "invite: how long it holds, as 2h or 7d (24h; at most 90d)", 0},
    {"role", "ROLE", "invite: member, relay, provider or admin (member)", 0},
    {"qr", NULL, "invite: show the link as a QR code, too", 0},
    {"at", "ADDRESS[:PORT]", "invite: where this node is found (else what is known of it)", 0},
    {"key", "LINK", "join: the link, which other users of this machine may see while it runs", 0},
    {"file", "FILE", "join: a file with the link (-, standard input)", 0},
    {"peer", "ID", "join: whose a connect link is, where an old one does not say it", 0},
    {"all", NULL, "members: those who count no more, too", 0},
    {"invite", "INVITE", "revoke: take this invitation back, by its id or link (-, standard input)",
     0},
    {"keep-member", NULL, "revoke: an admin is none any more, but stays a member", 0},
    {"now", NULL, "revoke: the network's secret changes at once, and not within the hour", 0},
    {"yes", NULL, "revoke, leave: ask nothing", 'y'},
    {"undo", NULL, "block: no longer", 0},
    {"list", NULL, "block: who is blocked", 0},
    END};
static const struct om_option ping_options[] = {
    {"count", "N", "stop after N probes (4; at most 256)", 'c'},
    {"interval", "SEC", "time between probes (1)", 'i'},
    END};
static const struct om_option provide_options[] = {
    {"to", "PEER", "who may have machines, besides this node; may be given several times", 0},
    {"vms", "N", "machines at most, all together", 0},
    {"cpu", "N", "processors of all together", 0},
    {"memory", "SIZE", "of all together, as 4G", 0},
    {"disk", "SIZE", "of all together", 0},
    {"each-vm", "LIMITS", "of one machine, as cpu=1,memory=1G,disk=4G", 0},
    {"each-peer", "LIMITS", "of one peer, as vms=2,memory=2G", 0},
    {"each-network", "LIMITS", "of one network", 0},
    {"owner-first", "yes|no", "own machines may end those of others (yes)", 0},
    {"max-lease", "TIME", "no machine lives longer, whatever is asked for (24h)", 0},
    {"rate", "SIZE", "bytes per second of each machine, each way, as 10M or 100Mbit; 0: any", 0},
    {"gate", "MODE", "conntrack, filtered or sampled: how closely packets are looked at", 0},
    {"violations", "WHAT", "log, warn, pause or kill a guest that sends what it may not (pause)",
     0},
    {"pause", "TIME", "how long a guest stays paused for that (5m)", 0},
    {"accel", "HOW", "auto: find out; kvm: use it untried; tcg: never KVM (auto)", 0},
    END};
static const struct om_option providers_options[] = {
    {"cpu", "N", "processors that a machine is to have", 0},
    {"memory", "SIZE", "as 4G; a bare number is MiB", 0},
    {"disk", "SIZE", "of its own disk", 0},
    {"image", "NAME", "that the provider is to have", 0},
    {"all", NULL, "those that do not fit, too, and why", 0},
    END};
static const struct om_option proxy_options[] = {
    {"via", "PEER", "the peer through which hosts are reached that are no peers", 0},
    {"user", "NAME", "let only NAME use it, with a password", 'u'},
    {"password-file", "FILE", "whose first line is the password (-, standard input)", 0},
    {"keep", NULL, "after a restart, too", 'k'},
    END};
#define JOB_OPTIONS                                                                                \
    {"provider", "PEER", "who provides the machine; self is this node (the best)", 0},             \
        {"cpu", "N", "processors (1)", 0}, {"memory", "SIZE", "as 512M; a bare number is MiB", 0}, \
        {"disk", "SIZE", "of its own disk, as 2G (none)", 0},                                      \
        {"image", "NAME", "of the provider's (mini; python for python)", 0},                       \
        {"description", "TEXT", "what it is for, for the provider's rules", 0},                    \
        {"file", "FILE", "goes along, to /work there; several times", 'f'},                        \
        {"output", "PATH", "a file there that comes back; several times", 'o'},                    \
        {"into", "FOLDER", "where they come (this one)", 0},                                       \
        {"timeout", "TIME", "to be done by then (1h)", 0},                                         \
    {                                                                                              \
        "output-max", "SIZE", "of what it says (16M); the rest is dropped", 0                      \
    }
static const struct om_option run_options[] = {JOB_OPTIONS, END};
static const struct om_option submit_options[] = {
    {"script", "TEXT|@FILE", "the program", 's'},
    {"language", "NAME", "it is written in (sh)", 'l'},
    JOB_OPTIONS,
    END};
static const struct om_option ssh_options[] = {{"port", "PORT", "of the SSH server (22)", 'p'},
                                               END};
static const struct om_option vm_options[] = {
    {"provider", "PEER", "or IP[:PORT], ID@IP[:PORT], or self, this node; else the best is asked",
     0},
    {"cpu", "N", "processors (1)", 0},
    {"memory", "SIZE", "as 512M; a bare number is MiB", 0},
    {"disk", "SIZE", "of its own disk, as 2G (none)", 0},
    {"image", "NAME", "of the provider's (mini)", 0},
    {"ttl", "TIME", "how long it lives without any sign of this node, as 1h", 0},
    {"timeout", "TIME", "to be running by then, or not at all", 0},
    {"description", "TEXT", "what it is for, for the provider's rules", 0},
    {"key", "TEXT", "of the request: the same one never makes a second machine", 0},
    {"name", "NAME", "yours for it, by which it is known, too", 0},
    {"expose", "PORT", "of this node, that it may reach; may be given several times", 0},
    {"egress", "WHAT", "none, or internet: through this node (none)", 0},
    {"ssh-key", "FILE", "who gets in (else a key of this home, made when it is wanted)", 0},
    {"recursive", NULL, "with cp: folders with what is in them", 'r'},
    {"wait", NULL, "until it runs, with what happens meanwhile", 'w'},
    {"all", NULL, "release every machine", 0},
    {"write", "FILE", "capture into FILE; -, as without it, is standard output", 0},
    {"count", "N", "capture N packets", 'c'},
    {"bytes", "SIZE", "capture packets of so many bytes together", 0},
    END};
static const struct om_option watch_options[] = {{"count", "N", "stop after N events", 'c'}, END};

const struct om_command om_commands[] = {
    {"approvals", "[list | allow ID | deny ID]", "requests for machines that wait for your word",
     "A rule of omerta filter may say ask: then a request waits here, for ten minutes at most and "
     "no\n"
     "longer than its own timeout, and is refused when nothing is said. ID is the machine's, or "
     "the\n"
     "start of it. omerta watch shows each as an event.\n"
     "With --json, list: an array of {vm, peer, network, why, description, image, cpus, "
     "memory_mib,\n"
     "disk_mib, ttl_s, egress, left_s}; allow, deny: {vm, allowed}.",
     NULL, om_cmd_approvals, false},
    {"bugreport", "[-o FILE]", "one text file for a bug report, without secrets",
     "Collects version, doctor, config, status and the last 200 log lines. Keys, ids, addresses,\n"
     "user name, home and host name are replaced by placeholders that stay the same all through\n"
     "the file; names of peers and networks are left out. Read it before you send it.\n"
     "With --json: {path}, where the report was written; -o - writes the report itself.",
     bugreport_options, om_cmd_bugreport, false},
    {"check-deps", "", "the same as doctor", "See doctor.", NULL, om_cmd_doctor, false},
    {"cloister", "PEER [--hand NETWORK] | [list | accept ID | deny ID]",
     "a private network with one peer",
     "Asks PEER, with whom a network is shared, for one of the two alone, and shows a code.\n"
     "The user of PEER sees it by omerta cloister list, or omerta watch. Compare it by another\n"
     "way, such as the telephone: where the codes differ, PEER is not who you think. There is a\n"
     "network once both have said yes: to the question that follows, or by accept. It holds five\n"
     "minutes; the two must have a direct way to each other, and nobody else is ever let in.\n"
     "--hand offers one of this home's networks, open or made here; once PEER's user accepts, its\n"
     "link follows over the session. Who said no, or nothing, to three is asked no more that day.\n"
     "With --json, PEER: the reply of cloister.ask, and nothing is asked; list: the reply of\n"
     "cloister.list; deny: the reply of cloister.deny; accept: the reply of networks.show.",
     cloister_options, om_cmd_cloister, false},
    {"completion", "bash|zsh|fish", "completion script for a shell",
     "bash: omerta completion bash > ~/.local/share/bash-completion/completions/omerta\n"
     "zsh:  omerta completion zsh > a file _omerta in a folder of $fpath\n"
     "fish: omerta completion fish > ~/.config/fish/completions/omerta.fish\n"
     "With --json: the same; a script is no JSON.",
     NULL, om_cmd_completion, false},
    {"config", "[show|keys|path]", "what the daemon is configured to do",
     "show (the default): the values in force. keys: every key with what it means. path: where\n"
     "the file is.\n"
     "With --json, show: the reply of config.show; keys: an array of {key, flag, wants, default,\n"
     "help, needs_restart}; path: {path}.",
     NULL, om_cmd_config, false},
    {"cp", "[-r] [-p PORT] FILE... PEER:PATH | PEER:PATH... FOLDER",
     "copy files by scp through the mesh",
     "The scp of OpenSSH; a peer is named as in ssh.\n"
     "With --json: the same; scp's output is its own.",
     cp_options, om_cmd_cp, false},
    {"dns", "[BIND:]PORT [--gateway PEER] [--keep]",
     "a local DNS server for names of peers and, at a gateway, all others",
     "On 127.0.0.1 unless told otherwise; port 0 takes a free one. PEER.NETWORK.omerta, and\n"
     "PEER.omerta in the only network, are answered here with the peer's overlay addresses, an\n"
     "IPv6 one and, of a closed network's member, an IPv4 one, too. omerta proxy takes them; TXT\n"
     "says its id. Everything else is asked at the gateway, which must expose the internet, and\n"
     "never here; without a gateway it is REFUSED. forward list and remove know it.\n"
     "With --json: the reply of forward.add.",
     dns_options, om_cmd_dns, false},
    {"doctor", "", "check this machine: what is wrong and what mends it",
     "One line for each check: OK, WARN or FAIL, and below it the command that mends it. The exit\n"
     "code is 1 when a check fails.\n"
     "With --json: an array of {check, state, what, fix}; fix is null where none is needed.",
     NULL, om_cmd_doctor, false},
    {"down", "[--purge [--yes]]", "stop the daemon",
     "Waits until it is gone. --purge lists every file below the home and asks before it removes\n"
     "them: identity and keys are then lost.\n"
     "With --json: {was_running, purged, files, bytes, home}; files and bytes are those removed.",
     down_options, om_cmd_down, false},
    {"expose", "PORT[:HOST:PORT] | internet | listen[:[ADDRESS:]PORT] | list | usage | remove ID",
     "let peers reach something of this machine",
     "Nothing can be reached unless it is named here. PORT is what peers ask for; it is connected\n"
     "to the same port of 127.0.0.1, or to HOST:PORT. internet lets them reach public addresses\n"
     "through this machine, never its own networks but for those that --also names. listen lets\n"
     "them open ports here that lead to them: at ADDRESS, 127.0.0.1 unless given, and PORT, or\n"
     "any from 1024; of TCP, or with --udp of UDP. Without --to every member of the network may,\n"
     "which an open network such as default does not allow. Each peer has the whole of --rate and\n"
     "of --max-connections; what is above waits, or, of UDP, is dropped, and connections above\n"
     "are refused as busy; listen has neither. usage: who has used what, how much.\n"
     "With --json: the reply of expose.add; list: the reply of expose.list; usage: the reply of\n"
     "expose.usage; remove: the reply of expose.remove.",
     expose_options, om_cmd_expose, false},
    {"filter",
     "[list] | add --name NAME --then WORD [IF...] | rm NAME | default WORD | test --peer PEER |"
     " reputation",
     "rules on who may have virtual machines of this one",
     "Asked after omerta provide on --to, which says who may ask at all. The first rule all of "
     "whose\n"
     "conditions hold decides; when none holds, the default does, which is allow until you say\n"
     "otherwise. Of conditions with several values one suffices; --network is one, too. Your own\n"
     "machines are never refused. A refusal tells the rule's name and note. test says what the "
     "rules\n"
     "would say to a request, and why. reputation: what earlier machines of peers came to, 0 to "
     "100,\n"
     "known to this node alone. The rules are kept in filters.json of the home; while that makes "
     "no\n"
     "sense every peer is refused.\n"
     "With --json: {default, rules, kept}, rules as in that file: name, then, note, peer, "
     "network,\n"
     "address, resources {cpus_over, memory_over, disk_over, ttl_over, egress}, description "
     "{words,\n"
     "missing}, hours {from, to}, reputation {below, above}; test: {verdict, rule, text, peer, "
     "at,\n"
     "address, reputation}; reputation: an array of {peer, reputation}.",
     filter_options, om_cmd_filter, false},
    {"forward", "add -L|-R [BIND:]PORT:PEER:PORT | list | remove ID",
     "local ports that lead to ports of peers",
     "-L: a port here leads to a port of the peer, which must expose it. -R: a port of the peer,\n"
     "which must expose listen, leads to a port here. It is asked for again when the peer was\n"
     "away. BIND is 127.0.0.1 (localhost) unless given; * is 0.0.0.0; port 0 takes a free one.\n"
     "With --json: the reply of forward.add; list: the reply of forward.list; remove: the reply\n"
     "of forward.remove.",
     forward_options, om_cmd_forward, false},
    {"health", "[PEER] [-c N] [-s BYTES]", "how well a peer answers",
     "Probes the peer and shows what both sides know of the path. The exit code is 1 when nothing\n"
     "was answered.\n"
     "With --json: the reply of health.probe.",
     health_options, om_cmd_health, false},
    {"help", "[COMMAND|exit-codes]", "this help, or that of a command",
     "With --json: an array of {name, args, summary, help, options}, each option with name, value\n"
     "and help; of one command its object; of exit-codes an array of {code, help}.",
     help_options, om_cmd_help, false},
    {"image", "[build [mini|python] | list | verify [NAME] | add NAME | remove NAME]",
     "what virtual machines are made of",
     "build makes a built-in image of Debian's packages, fetched once, in HOME/images: mini, or\n"
     "python, which also has python3. list shows those that are there, verify compares the files\n"
     "of one with the hashes that were recorded when it was made. A built-in image that is asked\n"
     "for and not there is built by the daemon. add takes a disk image of one's own among them,\n"
     "after looking at it; remove takes one away that no machine uses.\n"
     "With --json, build, add and remove: {name, path}; list: an array of {name, kernel, "
     "languages,\n"
     "memory_min_mib, path}; verify: {name, good}.",
     image_options, om_cmd_image, false},
    {"init", "[--force]", "make home, config, identity and keys",
     "May be run again: what is there stays. With --force everything is made anew and the old\n"
     "files are kept beside it.\n"
     "With --json: {home, networks}; each network has its name and the id of this node in it.",
     init_options, om_cmd_init, false},
    {"key", "show | link [NETWORK] | qr [NETWORK] | export FILE [NETWORK] | import FILE",
     "who this node is, and networks of two",
     "show prints the peer id of this node in each of its networks. link makes a network of this\n"
     "node and whoever follows the link first, within 24 hours, and prints the link; with NETWORK\n"
     "the link of that one once more. Nobody else is let in, then or later, and no other network\n"
     "is needed. Whoever has the link before it is used is in: hand it over as you would a key. "
     "qr\n"
     "shows it to a camera. The other side: omerta network join. export seals a link under a\n"
     "password (Argon2id) into a file of your own; import follows it.\n"
     "With --json, show: {home, networks}; each network has its name and the id of this node in\n"
     "it; link, qr: {network, link}; export: {path}; import: as network join.",
     key_options, om_cmd_key, false},
    {"link", "[list]", "links whose packets end in the daemon",
     "A TUN or the card of a virtual machine, by the data socket (omerta-data(7)). DROPPED counts\n"
     "packets that may not pass, by the reason; ROGUE weighs those of late.\n"
     "With --json: the reply of links.list.",
     NULL, om_cmd_link, false},
    {"log", "[-f] [-n N]", "the log of the daemon",
     "From the daemon, or from its log file when it does not run.\n"
     "With --json: each line is a JSON text.",
     log_options, om_cmd_log, false},
    {"message", "PEER TEXT... | --list", "send a text to a peer, or read those received",
     "The words are joined by spaces. PEER is an id, its first 4 characters or more, or a name.\n"
     "For who is away it waits in this daemon: it, and what was received, ends with omerta down.\n"
     "With --json: the reply of message.send; with --list the reply of message.list.",
     message_options, om_cmd_message, false},
    {"nc", "PEER PORT", "connect standard input and output to a port of a peer",
     "For scripts, and as ProxyCommand of ssh: ProxyCommand omerta nc %h %p. A connection that "
     "was\n"
     "cut before the other side ended it is an error: the exit code is 1. When the other side has\n"
     "said all, standard input still goes there until its end, unless it is a terminal.\n"
     "With --json: the same; what comes is the peer's.",
     NULL, om_cmd_nc, false},
    {"netcheck", "", "how this node is connected, and how strangers may reach it",
     "Does UDP come through; how the router in front chooses outside ports, and where others see\n"
     "this machine; what the router said when it was asked to map our port, by NAT-PMP and then\n"
     "by UPnP; and the relays, by latency. An outside address that was mapped is announced to\n"
     "peers. The router is asked again when the network changes, and before the mapping ends.\n"
     "Peers are asked anew, which takes a second. The exit code is 1 when UDP seems blocked.\n"
     "With --json: the reply of netcheck.",
     NULL, om_cmd_netcheck, false},
    {"network",
     "[list | show [NETWORK] | create --name NAME | invite [NETWORK] | join LINK | leave "
     "NETWORK | rename NETWORK NAME | members [NETWORK] | revoke MEMBER | revoke --invite "
     "INVITE | block PEER]",
     "the networks this node is in",
     "At most 16. In each this node shows another key, and nothing of one is told in another; but\n"
     "all share one UDP port, whose address links them. So does the daemon's --name, told in each\n"
     "but a closed one where --as says another (without --name the first network is told what\n"
     "this machine is called, the next ones are not); and, where it lends machines, what it has\n"
     "free, told in the networks of those whom provide --to names.\n"
     "Other commands take --network NETWORK, a name or the start of an id. The built-in network\n"
     "\"default\" is there only while no other is, or while bootstrap peers are named in it; "
     "anyone\n"
     "who knows the published protocol can read the headers of its datagrams, and its hellos.\n"
     "create makes a closed network, whose members have certificates, with this node as its "
     "admin;\n"
     "with --open one in which whoever has its link is, and nobody can be put out again. A plain\n"
     "member may see the others, reach what they offer it and send messages; nobody's machine may\n"
     "be used unless a rule of its owner says so. invite prints a link, with up to three places\n"
     "where members are found; into a closed network its admins can invite, and one of their\n"
     "daemons has to run when the link is followed. --role admin makes another admin: that can "
     "only\n"
     "who made the network, whose daemon has to run then. In a closed network --role relay is\n"
     "for those whose daemon is to carry what others cannot send directly (omerta-meshd\n"
     "--relay), --role provider for those who lend machines (omerta provide); admins may do both.\n"
     "Who lacks the role is not used for it, whatever it says. join follows a link,\n"
     "omerta://join/... or omerta://connect?...; from standard input (join - or --file -) it gets\n"
     "into no shell history and no list of processes. show never prints a secret; it lists the\n"
     "invitations given out here that are still good for somebody. Who gave one out lets in\n"
     "by it until its time is over; another admin for a day more, as clocks differ. Who joins\n"
     "without --name calls the network as the admin does.\n"
     "members lists who is in a closed network, as far as this node knows: certificates that\n"
     "it saw since it started, and what the admins signed. revoke puts MEMBER (a name, an id\n"
     "or its start) out for good, as an admin may. Its sessions end with everybody who hears\n"
     "of it, which takes seconds among those who are connected; who was away hears of it\n"
     "from the first whom he meets, and accepts the member until then. Who is to come back\n"
     "needs an invitation and a new home. Only who made the network can put out an admin; whom\n"
     "that one let in stays, if this node has heard of it. The network's secret changes half a\n"
     "minute later, at most once an hour, or at once with --now. A member that was away\n"
     "meanwhile catches up for 30 days or 8 changes, whichever ends first; after that it needs\n"
     "a new invitation. leave is for good; where this node is the only admin of others it asks\n"
     "first, as nobody can invite or revoke after that, and without a terminal it wants --yes.\n"
     "block is everybody's, in every network: PEER (at most 256) gets\n"
     "silence from this machine, and no lane through it; nobody else is told.\n"
     "A member of a closed network has a name there, its own: as --as wishes it, or as its "
     "daemon\n"
     "or machine is called, or \"node\" where another network has the machine's name; with -2,\n"
     "-3 ... behind where another has it; where two admins gave it twice, the later one's has\n"
     "six letters of its id behind it. PEER and MEMBER may be that everywhere, or\n"
     "NAME.NETWORK, as in DNS.\n"
     "With --json, list: the reply of networks.list; show, create, join, rename: the reply of\n"
     "networks.show; invite: {network, link}; leave: {left, id}; members, revoke: the reply of\n"
     "networks.members and networks.revoke, with --invite of networks.void; block: the reply of\n"
     "networks.block, with --list of networks.blocked.",
     network_options, om_cmd_network, false},
    {"peers", "[PEER] | add ID [ENDPOINT...]", "the peers known, or one of them",
     "With a peer: all that is known here of it, then what it says of itself. add: tell the "
     "daemon\n"
     "of a peer and where it is.\n"
     "With --json: the reply of peers.list; with a peer: its entry there, and as status the reply\n"
     "of peer.status without the peer, null while it does not answer; add: the reply of peers.add.",
     NULL, om_cmd_peers, false},
    {"ping", "[PEER] [-c N] [-i SEC]", "round trips to a peer, as they happen",
     "A line for each answer with the way that data goes, one when that changes, then loss and\n"
     "the least, mean and greatest round trip. The exit code is 1 when nothing was answered, and\n"
     "a sentence says why, as omerta why does at length.\n"
     "With --json: a line {event, run, peer, seq, rtt_ms, path} for each answer, where rtt_ms "
     "null\n"
     "is one that is missing; then {event, sent, answered, loss_percent, min_ms, avg_ms, max_ms}.",
     ping_options, om_cmd_ping, false},
    {"provide",
     "[on | off | show] [--to PEER...] [--vms N] [--cpu N] [--memory SIZE] [--disk SIZE]"
     " [--each-vm|--each-peer|--each-network LIMITS] [--owner-first yes|no]"
     " [--max-lease TIME] [--rate SIZE] [--gate MODE] [--violations WHAT] [--pause TIME]"
     " [--accel auto|kvm|tcg]",
     "let peers have virtual machines of this one",
     "Off until it is turned on with all four limits; later each may be changed alone. This node\n"
     "itself may always have machines of its own then. off refuses new ones; those that run stay\n"
     "until their lease ends. What one machine, peer or network may have is what all may, unless\n"
     "LIMITS say less: some of vms, cpu, memory and disk. This node's own machines are bound by "
     "the\n"
     "limits of all together only, and when there is no room they end the newest of others, "
     "unless\n"
     "--owner-first no. In an open network a peer has to be named; --to '*' is everybody in\n"
     "a closed one, where it takes the role of a provider (omerta help network).\n"
     "Packets of a guest reach its consumer's node or nothing; forged or senseless ones are\n"
     "refused, counted, and weighed. From 100 points on (a forged one has 20) the consumer is\n"
     "warned; from 1000 on the guest is paused or ended, as --violations says. The gate checks\n"
     "every packet in each MODE: conntrack follows flows, filtered looks at each packet alone,\n"
     "sampled counts by flow, and captures, one in 16 only. --rate and --gate are for machines\n"
     "that start from now on.\n"
     "KVM is used where the processor has vmx or svm and a test guest runs under it; --accel kvm\n"
     "says that it works without asking them, tcg that it is not to be used. When a guest fails\n"
     "under KVM it is started again under TCG (emulated, slower), and so are all after it, until\n"
     "provide on is said again or the daemon starts anew; after one that had run only itself is.\n"
     "With --json: the reply of provide.show.",
     provide_options, om_cmd_provide, false},
    {"providers", "[--cpu N] [--memory SIZE] [--disk SIZE] [--image NAME] [--all]",
     "peers that offer virtual machines, the best first",
     "What a provider offers is what it says itself, in coarse steps, when it changes: vm request\n"
     "may be refused all the same. First come those with KVM, then the near, idle ones that did\n"
     "not refuse lately. LOAD is 0 to 3; FOR is named where only peers that it names get any.\n"
     "With --json: the reply of providers.list.",
     providers_options, om_cmd_providers, false},
    {"proxy", "[[BIND:]PORT] [--via PEER] [--user NAME]",
     "a local SOCKS5 and HTTP proxy into the mesh",
     "On 127.0.0.1:1080 unless told otherwise. Names end in .omerta: PEER.omerta or\n"
     "PEER.NETWORK.omerta; use socks5h, so that they are asked here and nowhere else. Other hosts\n"
     "are reached through --via, which must expose the internet. SOCKS5 programs have UDP, too,\n"
     "while their TCP connection stands. forward list and remove know the proxy.\n"
     "--user reads a password, which no list shows; with --keep it is kept in the home, for its\n"
     "user alone. It keeps out programs, not who can listen between them and the proxy.\n"
     "With --json: the reply of forward.add.",
     proxy_options, om_cmd_proxy, false},
    {"reload", "", "have the daemon read its config again",
     "All of the new config holds, or nothing of it; says what changed.\n"
     "With --json: the reply of config.reload.",
     NULL, om_cmd_reload, false},
    {"run", "[OPTION...] [--] COMMAND...", "a command in a virtual machine of its own",
     "Asks the provider for a machine, or, if none is named, the best, runs the words there as\n"
     "they are, with what they say on our output as it comes, and gives the machine back, "
     "whatever\n"
     "happens, also when this program is killed. The exit code is the command's; 124 when it took "
     "too\n"
     "long, 130 after Ctrl-C, 125 when it could not be run, or an artefact did not come. Ctrl-C\n"
     "once cancels, twice ends at once.\n"
     "With --json: a line for each thing that happens, as vm request, then {event, text} of what\n"
     "it says (out or err), {event, name, bytes, error} of an artefact, and {event, end, status,\n"
     "text, exit}.",
     run_options, om_cmd_run, true},
    {"ssh", "[-p PORT] [USER@]PEER [SSH-OPTION...] [COMMAND...]", "a shell on a peer by OpenSSH",
     "The peer must run an SSH server and expose its port. Its host key is kept in\n"
     "HOME/ssh/known_hosts at the first connection, or, of a network that --network names, in\n"
     "HOME/ssh/known_hosts.NETWORK. What follows the peer is ssh's.\n"
     "With --json: the same; ssh's output is its own.",
     ssh_options, om_cmd_ssh, true},
    {"status", "", "how the daemon and its networks are", "With --json: the reply of status.", NULL,
     om_cmd_status, false},
    {"submit", "--script TEXT|@FILE [--language NAME] [OPTION...]",
     "a program in a virtual machine of its own, with files in and out",
     "As run, for a program in one of the image's languages: mini has sh, python has sh and\n"
     "python. Files that go along are in /work, where it starts; artefacts come back by the last\n"
     "part of their name, whole or not at all.\n"
     "With --json: as run.",
     submit_options, om_cmd_submit, false},
    {"up", "", "start the daemon of this user",
     "Through systemd --user where it runs with a unit omerta-meshd; else by itself, with its log\n"
     "in HOME/logs/meshd.log. Waits until it answers. What omerta-meshd has as an option is a key\n"
     "of HOME/config.json here (omerta config keys), such as {\"relay\": true}.\n"
     "With --json: {was_running, peer, version, home}; peer is the id of this node.",
     NULL, om_cmd_up, false},
    {"version", "", "of this program and of the daemon",
     "With --json: {omerta, daemon}: its version, and the reply of version or null.", NULL,
     om_cmd_version, false},
    {"vm",
     "[request [--provider PEER|IP[:PORT]|self] | list | show [VM] | ssh VM [COMMAND...] |"
     " run VM -- COMMAND... | cp FILE... VM:PATH | forward VM [BIND:]PORT:PORT | console [VM] |"
     " extend [VM] TIME | release [VM | --all] | traffic [VM] | capture [VM] | resume [VM]]",
     "virtual machines: ask for one, use it, give it back",
     "request asks the provider, or without one up to five of those that fit (see providers) one\n"
     "after the other, for a machine, and with --wait tells what happens until it runs;\n"
     "the exit code is 1 when it ends instead. list shows the machines of this node and those\n"
     "that it provides; with --provider, what that peer says is ours. ssh and cp are those of\n"
     "OpenSSH, as root, with the machine's host key known; they wait for a machine that starts;\n"
     "the exit code is theirs. After one line \"Include HOME/ssh/config\" in ~/.ssh/config, ssh,\n"
     "scp and rsync know machines by themselves. forward has a port here lead to one of the\n"
     "machine. A machine reaches the ports of this node that\n"
     "--expose names, at the address of its gateway, and with --egress internet what expose "
     "internet\n"
     "would let a peer reach; else nothing. console prints the last that the guest wrote, made "
     "safe\n"
     "for a terminal. run runs a command there, as omerta run does, by the agent and not by the\n"
     "network. release waits until nothing is left. VM is an id, the start of one, its "
     "name,\n"
     "or absent when there is only one; nc and forward take it for a peer.\n"
     "A machine ends --ttl after the last sign of this node: a daemon that follows it, or data in\n"
     "a connection with it. extend moves that end; the provider's --max-lease ends it always.\n"
     "traffic shows what a machine sends and gets, and what the provider's gate refused, to\n"
     "both. capture, for the provider alone, writes the packets for tcpdump -r until the bounds\n"
     "or Ctrl-C, refused ones too. resume lets a machine go on that the provider paused.\n"
     "With --json, request and release: a line for each thing that happens, run as omerta run;\n"
     "show: one of the machines of list; list: the reply of vm.list; console: of vm.console;\n"
     "extend: of vm.extend; traffic: of vm.traffic; resume: of vm.resume; capture: pcap all the\n"
     "same.",
     vm_options, om_cmd_vm, false},
    {"watch", "[KIND...] [-c N]", "events as they happen",
     "One line each; with --json one JSON text each. A gap in the events is an event itself.\n"
     "With --json each is {event, at, peer, addr, a, b}, or what omerta-ipc(7) says of its kind.",
     watch_options, om_cmd_watch, false},
    {"why", "[PEER]", "why a peer is reached as it is, and what would help",
     "First what is in use and why; then every way to it, what was tried lately and what came of\n"
     "it; then what would make it better. A peer that nobody spoke with yet is called first. The\n"
     "exit code is 1 when there is no way to it, or it does not answer.\n"
     "With --json: the reply of peers.why.",
     NULL, om_cmd_why, false},
    {NULL, NULL, NULL, NULL, NULL, NULL, false},
};

const struct om_command *om_command_find(const char *name)
{
    for (const struct om_command *c = om_commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

const char *om_command_near(const char *word)
{
    struct om_nearest near;

    om_nearest_init(&near, word);
    for (const struct om_command *c = om_commands; c->name; c++)
        om_nearest_try(&near, c->name);
    return near.best;
}
