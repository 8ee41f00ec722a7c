/* man.c - roff around the tables. */
#include "man.h"

#include <string.h>

#include "config_print.h"
#include "ipc/methods.h"

static const char daemon_head[] =
    ".TH OMERTA-MESHD 8 \"\" \"omerta\" \"Omerta\"\n"
    ".SH NAME\nomerta-meshd \\- a node of the mesh\n"
    ".SH SYNOPSIS\n"
    ".B omerta-meshd\n[\\fB\\-\\-home\\fR \\fIFOLDER\\fR] [\\fB\\-\\-config\\fR \\fIFILE\\fR] "
    "[\\fIKEY\\fR...]\n.br\n"
    ".B omerta-meshd\n\\fBinit\\fR [\\fB\\-\\-force\\fR] | \\fBkey\\fR | \\fBcheck\\fR "
    "[\\fB\\-\\-json\\fR] [\\fB\\-\\-home\\fR \\fIFOLDER\\fR]\n"
    ".SH DESCRIPTION\n"
    "Runs a node of the mesh in the foreground: it meets peers, holds encrypted sessions with\n"
    "them, learns by gossip who else there is, and answers\n.BR omerta (1)\n"
    "on a Unix socket. It needs no privilege; started as root it goes on without any capability.\n"
    ".PP\n"
    "A daemon that is in no other network is in the open network\n.BR default .\n"
    "Its secret is published: anybody can be in it, and can read which node talks to which;\n"
    "what they say is for the two alone. Nobody may use anything of this machine there unless a\n"
    "rule names that peer.\n"
    ".PP\n"
    "Two nodes on one LAN find each other by multicast; elsewhere one\n.B \\-\\-bootstrap\n"
    "peer is enough.\n"
    ".SH COMMANDS\n"
    ".TP\n.B init\nMake what the home lacks: identity, local key, SSH key, config.json. With\n"
    ".B \\-\\-force\nall of it anew; what was there is kept beside it as\n"
    ".IR NAME .backup- TIME .\n"
    ".TP\n.B key\nPrint this node's id in each network.\n"
    ".TP\n.B check\nJudge home, identity and configuration as a start would, see that no secret is "
    "open\n"
    "to others, and ask the router by NAT-PMP and UPnP IGD whether it makes port mappings, which "
    "at most warns.\n";

static const char daemon_tail[] =
    ".SH FILES\n"
    "In the home, \\fI$OMERTA_HOME\\fR or \\fI~/.omerta\\fR, mode 0700:\n"
    ".TP\n.I identity/seed\nthe secret that all keys of this home come from\n"
    ".TP\n.I config.json\nthe keys above, as nested objects\n"
    ".TP\n.I tunnels.json\nports and proxies that are kept, with the proxies' passwords\n"
    ".TP\n.I mesh.db\npeers, addresses and timestamps that were learnt; no secrets\n"
    ".TP\n.I logs/events.jsonl\nwhat happened, one JSON object a line\n"
    ".TP\n.I local.key, ssh/\nfor local programs, and for SSH into machines\n"
    ".TP\n.IR control.sock \", \" data.sock \", \" metrics.sock\n"
    "in \\fI$XDG_RUNTIME_DIR/omerta\\fR for the default home, else in the home; see\n"
    ".BR omerta-ipc (7).\nMetrics: curl \\-\\-unix\\-socket metrics.sock http://localhost/metrics\n"
    ".SH SIGNALS\n"
    ".TP\n.BR SIGTERM \", \" SIGINT\nSave what is to be saved, and end.\n"
    ".TP\n.B SIGHUP\nOpen the logs again and read the configuration again, all of it or nothing.\n"
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nended as asked\n.TP\n.B 1\nsomething of the machine failed\n.TP\n.B 2\n"
    "wrong usage\n.TP\n.B 3\nconfiguration refused\n.TP\n.B 4\nhome unusable or in use\n"
    ".TP\n.B 5\nport in use\n"
    ".SH SEE ALSO\n.BR omerta (1),\n.BR omerta-ipc (7)\n";

static const char ipc_head[] =
    ".TH OMERTA-IPC 7 \"\" \"omerta\" \"Omerta\"\n"
    ".SH NAME\nomerta-ipc \\- asking omerta-meshd\n"
    ".SH DESCRIPTION\n"
    "JSON-RPC 2.0 on the Unix socket\n.IR control.sock ,\n"
    "mode 0600, for programs of the same user and root: one JSON text a line, at most 1 MiB and\n"
    "16 levels deep, no batches. Answers come in the order in which they are ready, and bear the\n"
    "id of their request. What happens is told to who subscribed, as notifications.\n"
    ".PP\n.nf\n"
    "$ echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}' | socat - UNIX:control.sock\n"
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":\"0.1.0\",\"protocol\":1}}\n"
    ".fi\n"
    ".PP\n"
    "Errors: \\-32700 no JSON, \\-32600 no request, \\-32601 unknown method, \\-32602 wrong\n"
    "parameters; others are \\-32000 and below, with a name in data.name (OM_E_MISSING ...).\n"
    ".PP\n"
    "A client that does not read loses events, and is told how many by the notification\n"
    ".BR event.gap ;\nwhen even answers pile up its requests wait, and at 4 MiB it is hung up on.\n"
    ".SH NOTIFICATIONS\n"
    ".TP\n.B pong\nan answer to ping.start, or rtt_ms null for one that is missing\n"
    ".TP\n.B message\na message came, or its state changed: as message.list\n"
    ".TP\n.B record\ngossip brought news of a node: network, peer\n"
    ".TP\n.B log\na line of the log; only for who asked for this kind\n"
    ".TP\n.B session_up, session_down, closed ...\nevents of the node: at, event, peer, addr, a, "
    "b\n";

bool man_print(const char *name, FILE *to)
{
    if (strcmp(name, "omerta-meshd") == 0) {
        (void)fputs(daemon_head, to);
        om_config_print_man(to);
        (void)fputs(daemon_tail, to);
        return true;
    }
    if (strcmp(name, "omerta-ipc") != 0)
        return false;
    (void)fputs(ipc_head, to);
    om_methods_print_man(to);
    (void)fputs(".SH SEE ALSO\n.BR omerta (1),\n.BR omerta-meshd (8)\n", to);
    return true;
}
