/*
 * script.h - a scenario: who there is, what happens, what must hold
 *
 * What:  reads a scenario text (.scn) into declarations, deeds and checks. play.h runs it.
 * Why:   a scenario is read more often than it is run; it has to say in words what is claimed.
 * Keeps: script_reads_every_statement; script_errors_name_file_and_line; script_errors_about_boxes;
 *        script_any_bytes_are_answered.
 *
 * The grammar, a statement per line; times are durations since the start ("250ms", "2m30s"),
 * [x] may be left out, a|b is a choice. Names are letters, digits, "_" and "-", a letter first.
 *
 * Declarations, before what uses them:
 *
 *   seed N                       everything that is left to chance; 1 unless given
 *   duration T                   else it ends 1 s after the last time that is named
 *   needs aes                    without AES instructions the scenario is skipped
 *   hops N                       routers between public addresses (router.h); 4 unless given
 *   network NAME [open|closed] [epoch=N]
 *                                without any there is "main", open; closed: it has an authority;
 *                                neither: nobody can be a member
 *   node NAME... [network=NAME,...] [psk=wrong] [audit] [gossip] [relay] [clock=+T|-T]
 *                [version=MIN..MAX] [ciphers=chacha|aes|both] [rekey=T] [packets=N] [load=N]
 *                [peers=N] [indices=N] [lanes=N] [carry=BITS] [offer=N] [behind=NAT]
 *                [cert=none|member|relay|admin|expired|old|link|open|alien|bymember|noright|chain|
 *                      stolen]
 *                                psk: a secret that is not the network's; clock: error of the
 *                                calendar; gossip: it tells where it is, again after a move, and
 *                                remembers over a restart what others told; relay: it carries the
 *                                datagrams of others, and says so where it gossips; rekey: age at
 *                                which an initiator rekeys, the other key times in proportion;
 *                                cert: what it has to show in closed networks (member.h), none
 *                                unless given, link: it is in none before it joins, open: it
                                claims that the network is open; those from alien on do not hold;
 *                                lanes: of others that it carries; carry: bits/s that it
 *                                carries on each; offer: bytes of a handshake in one; those
 *                                from load on but behind and cert: limits (omerta/limits.h)
 *   nat NAME KIND [behind=NAT] [mapping=...] ...
 *                                a box (router.h); kinds and properties are those of natkind.h;
 *                                behind: inside another one
 *   attacker NAME... [insider] [behind=NAT]
 *                                insider: knows the networks' secrets
 *   pipe NAME [rate=BITS] [queue=SIZE] [loss=P%] [burst=N] [good=P%] [bad=P%] [police=BITS/SIZE]
 *                                pipe.h; without a rate there is no limit and no queue; queue: 64k
 *                                unless given; police: so fast, and so much at once, police=0 none
 *   through NAME A>B [C>D ...]   these directions pass through the pipe; through none: through none
 *   lan NAME A [B ...]           these are on one segment, and what one of them sends to multicast
 *                                group reaches the others; nodes on a segment say hello
 *   link A B|A>B|* [latency=T] [jitter=T] [loss=P%] [burst=N] [dup=P%] [corrupt=P%] [reorder=N]
 *                [spacing=T] [rate=BITS] [queue=SIZE] [good=P%] [bad=P%] [mtu=N]
 *                                link.h; loss: share of all; burst: mean datagrams in the bad
 *                                state; good, bad: shares lost in the two states; mtu: bytes of
 *                                the largest IP packet, 1500 unless given; A>B is one direction,
 *                                * is every pair without its own
 *
 * Deeds: what nodes do reads subject, verb, object; what is done to them verb, object.
 *
 *   at T DEED [; DEED...]        every T1 from T2 to T3 DEED [; DEED...]
 *
 *   A connect B [at=C,...|none] [seen=C]
 *                                at: the endpoints given are those of C, not of B; seen: it is the
 *                                one from which the last datagram of B came to C, refused with
 *                                OM_E_MISSING when none did
 *   A send B "TEXT" [channel=NAME] [count=N] [size=N] [every=T]
 *                                channel=ip: it is an IP packet (omerta/ip.h)
 *   A lie B KIND=X               in its session with B it names X's address (lie.h): candidate,
 *                                punch, seen (where B is), record, source (of a packet);
 *                                answer: without one, its handshakes to B come from X from now on
 *   A join B [at=C,...] [token=N] [uses=N] [age=T]
 *                                by a link that B, an admin, made; at: it names these, not B;
 *                                token: of which invitation, for so many uses; 1 of each unless
 *                                given; age: it was made so long ago, for a day
 *   A revokes B                  A, an admin, throws B out of the network
 *   A ousts B [honour=N]         A hears from the authority that B is no admin any more; of what it
 *                                signed the first N entries count; 0 unless given
 *   A voids [token=N] [uses=N]   A, an admin, takes back the invitation that a join names so
 *   A rotates                    A, an admin, changes the network's secret now, if it has to be
 *   A certifies                  A has the authority's key, and makes its certificates anew
 *   A blocks B                   it is met by A with silence from now on, and A asks nothing of it
 *   A ping B     A close B     A keep B     A epoch N     A allow B (to send it IP packets)
 *   crash A      restart A [fresh] [newkey]      move A [behind=NAT|none] [told]
 *                                told: the node learns at once where it is, as netlink would tell
 *   clock A +T|-T
 *   partition A [B]      heal A [B]      link ..., through ... and lan ... (as above)
 *   lan none A [B ...]           no longer on any segment
 *   flush NAT [moved]            the box forgets all mappings; moved: it has another outside
 *                                address from now on, which nobody is told
 *   pipe NAME ...                what is not named stays as it is
 *   measure pipe NAME | measure link A>B | measure A from B
 *                                a window begins: what is checked about it counts from here
 *   record A B                   from now on every datagram between them is on a tape
 *   replay A B from X [times=N] [every=T] [own]
 *                                the tape again, by attacker X; own: from X's own address
 *   junk X A rate=N for=T [size=N..N] [kind=random|data|initiation] [sources=N]
 *
 *   With in=NETWORK a node's deed happens there and not in the first network that both are in;
 *   with expect=OM_E_... it must be refused just so; any other refusal fails the scenario.
 *
 * Checks:
 *
 *   by T CHECK [after T]         it holds at some moment until then
 *   at T CHECK                   it holds then
 *   never CHECK [after T] [until T]
 *                                it holds at no moment
 *
 *   session A B                  both hold one         no session A B       neither does
 *   A got "TEXT" from B          A got [OP] N from B   datagrams delivered; no OP is =
 *   A late OP N from B           how many later ones had come before the one most overtaken
 *   A gap OP T from B            longest time between two deliveries (watch.h)
 *   A missing OP N from B        sent since the window began, and not delivered
 *   A rtt B OP T                 of the last ping's answer
 *   A info FIELD OP N            struct om_node_info; drops as drops.NAME
 *   A peer B FIELD OP N|T|WORD   struct om_peer_info
 *   A event NAME [from B] [OP N] noted so often; no OP is >= 1
 *   A refused WORD               its joining was, the last time; the word as om_join_why_name()
 *   A sent OP N to X             datagrams put on the wire to X
 *   X heard OP N                 bytes that reached attacker X
 *   A knows OP N                 how many others gossip told it of, in its first network
 *   A speaks OP N                the number of the epoch by which it speaks in its first network
 *   A up                         it runs
 *   nat NAME COUNTER OP N        enum sim_nat_answer of natbox.h: out in blocked no_hairpin
 *                                expired full no_port unknown filtered claimed
 *   pipe NAME FIELD OP N|T|P%|BITS
 *   link A>B FIELD OP N|T|P%|BITS
 *                                meter.h: packets_in bytes_in packets_out bytes_out dropped
 *                                bytes_dropped full policed lost too_large; wait_p50 wait_p95
 *                                wait_max are times, used is a share of the time, rate is bits/s
 *                                that came out
 *
 * Without being asked, every scenario also fails when a datagram is delivered twice or was never
 * sent, or when a node asks for ticks without rest (world.h).
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "attack.h"
#include "flight.h"
#include "lie.h"
#include "natkind.h"
#include "words.h"

enum {
    SIM_SCRIPT_MAX = 1 << 20, /* bytes of a text */
    SIM_SCRIPT_ACTORS = 4096,
    SIM_DEEDS_MAX = 1 << 16,
    SIM_CHECKS_MAX = 4096,
    SIM_COUNT_MAX = 1000000, /* of count=, times= */
    SIM_LANS_MAX = 16,
    SIM_NATS_MAX = 64,
    SIM_ALL = -1 /* actor "*" */
};

enum sim_verb {
    SIM_CONNECT,
    SIM_SEND,
    SIM_ALLOW,
    SIM_PING,
    SIM_CLOSE,
    SIM_KEEP,
    SIM_BLOCK,
    SIM_LIE,
    SIM_JOIN,
    SIM_REVOKE,
    SIM_OUST,
    SIM_VOID,
    SIM_ROTATE,
    SIM_CERTIFY,
    SIM_EPOCH,
    SIM_CRASH,
    SIM_RESTART,
    SIM_MOVE,
    SIM_CLOCK,
    SIM_PARTITION,
    SIM_HEAL,
    SIM_LINK,
    SIM_PIPE,
    SIM_THROUGH,
    SIM_MEASURE,
    SIM_RECORD,
    SIM_REPLAY,
    SIM_JUNK,
    SIM_LAN,
    SIM_FLUSH,
    SIM_VERB_COUNT
};

/* What a link statement names; a property that it leaves as it is has all bits set. */
struct sim_link_change {
    struct sim_link_model value;
    bool one_way;
};

struct sim_deed {
    enum sim_verb verb;
    unsigned line;
    om_time at, every, until; /* every 0: once */
    int a, b, c;              /* actors; -1: none, or all */
    int network;              /* -1: the one they share */
    enum om_err expect;
    char *text; /* owned; NULL for none */
    char channel[OM_CHANNEL_MAX + 1];
    uint64_t number; /* count, epoch */
    uint64_t size;
    om_time pace;               /* between the datagrams of one send or replay; clock step */
    int ends[OM_ENDPOINTS_MAX]; /* of a connect */
    int seen_by;                /* as whom sees B; from 1; 0: none */
    int end_count;              /* -1: B's own */
    bool is_fresh, is_newkey, is_own, is_told, is_moved, is_link;
    struct sim_link_change link;
    int pipe;                     /* -1: none */
    int lan;                      /* from 1; 0: none */
    int nat;                      /* from 1; 0: it stays where it is; -1: none */
    struct sim_pipe_model change; /* of a pipe; what stays as it is has all bits set */
    struct sim_junk junk;         /* without actors */
    enum sim_lie_kind lie;        /* about c */
};

enum sim_when { SIM_BY, SIM_AT, SIM_NEVER };

enum sim_fact {
    SIM_FACT_SESSION,
    SIM_FACT_NO_SESSION,
    SIM_FACT_TEXT,
    SIM_FACT_GOT,
    SIM_FACT_LATE,
    SIM_FACT_GAP,
    SIM_FACT_MISSING,
    SIM_FACT_RTT,
    SIM_FACT_INFO,
    SIM_FACT_PEER,
    SIM_FACT_EVENT,
    SIM_FACT_REFUSED,
    SIM_FACT_SENT,
    SIM_FACT_HEARD,
    SIM_FACT_KNOWS,
    SIM_FACT_EPOCH,
    SIM_FACT_UP,
    SIM_FACT_PIPE,
    SIM_FACT_LINK,
    SIM_FACT_NAT
};

struct sim_check {
    enum sim_when when;
    enum sim_fact fact;
    unsigned line;
    om_time from, until; /* the moments it is about */
    int a, b;
    int pipe;
    int nat;                  /* from 1 */
    unsigned count;           /* enum sim_nat_answer; of a NAT */
    enum sim_reading reading; /* of a pipe or a link */
    enum sim_op op;
    uint64_t number;
    const struct sim_field *field; /* info, peer; static */
    enum om_event_kind event;
    char *text;   /* got, or the word a field is compared with; owned */
    char *source; /* the statement, for people; owned */
};

struct sim_decl_network {
    char name[SIM_NAME_MAX + 1];
    bool is_open, is_closed;
    uint32_t epoch;
};

struct sim_decl_nat {
    char name[SIM_NAME_MAX + 1];
    struct sim_nat_model model;
    unsigned outer; /* from 1; 0: it is public */
};

struct sim_decl_actor {
    char name[SIM_NAME_MAX + 1];
    bool is_attacker, is_insider;
    struct sim_node_spec spec;
};

struct sim_script {
    char file[SIM_FILE_SHOWN];
    uint64_t seed;
    uint64_t hops;
    bool needs_aes;
    om_time end;
    struct sim_decl_network networks[SIM_NETWORKS_MAX];
    unsigned network_count;
    char pipes[SIM_NECKS_MAX][SIM_NAME_MAX + 1];
    unsigned pipe_count;
    char lans[SIM_LANS_MAX][SIM_NAME_MAX + 1];
    unsigned lan_count;
    struct sim_decl_nat nats[SIM_NATS_MAX];
    unsigned nat_count;
    struct sim_decl_actor *actors;
    unsigned actor_count;
    struct sim_deed *deeds; /* in the order of the text */
    unsigned deed_count;
    struct sim_check *checks;
    unsigned check_count;
};

/**
 * sim_script_parse() - read a scenario
 * @out:   receives the script, owned by the caller
 * @file:  name for errors
 * @text:  borrowed for the call
 * @err:   one sentence, "file:line: what, wanted what"; may be NULL
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err sim_script_parse(struct sim_script **out, const char *file,
                                     struct om_bytes text, struct om_error *err);

/** sim_script_free() - release @s; NULL is fine. */
void sim_script_free(struct sim_script *s);

#endif
