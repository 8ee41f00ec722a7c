/* Connections of a card that a daemon left: asked about, and reset. */
#include "harness.h"

#include <fcntl.h>
#include <unistd.h>

#include <omerta/table.h>

#include "folder.h"
#include "links/link_gate.h"
#include "links/link_kept.h"
#include "netstack/packet/ether.h"
#include "netstack/packet/packet.h"
#include "netstack/craft.h"

enum { NUMBER = 2000 /* that craft_tcp() acknowledges */ };

static const uint8_t card[OM_MAC] = {0x52, 0x54, 0, 0, 0, 2},
                     ours[OM_MAC] = {2, 0x6f, 0x6d, 0, 0, 1};
static char top[FOLDER_MAX], path[FOLDER_MAX + 16];
static uint8_t room[LINK_KEPT_FRAME], frame[CRAFT_MAX];
static struct link_kept *k;
static struct om_error err;

static struct link_config config(void)
{
    struct link_config c = {.kind = OM_PORT_ETHER,
                            .mtu = 1400,
                            .sides = {.has_v4 = true,
                                      .has_v6 = true,
                                      .v4_prefix = 24,
                                      .here = craft_ip("10.64.0.1"),
                                      .there = craft_ip("10.64.0.2"),
                                      .here6 = craft_ip("fd64::1"),
                                      .there6 = craft_ip("fd64::5054:ff:fe00:2")}};

    memcpy(c.mac, card, sizeof c.mac);
    memcpy(c.here_mac, ours, sizeof c.here_mac);
    return c;
}

static bool reopen(void)
{
    const struct link_config c = config();

    link_kept_close(&k);
    return link_kept_open(&k, path, &c, &err);
}

static bool start(void)
{
    if (!folder_make(top))
        return false;
    folder_at(path, top, "flows");
    return reopen();
}

static void end(void)
{
    link_kept_close(&k);
    folder_remove(top);
}

static unsigned put(const char *here, uint16_t port, const char *there, uint16_t there_port)
{
    struct om_addr a = craft_ip(here), b = craft_ip(there);

    a.port = port;
    b.port = there_port;
    return link_kept_put(k, &a, &b);
}

static struct om_bytes framed(const struct craft *c)
{
    struct om_wr w = om_wr(om_mut(frame, sizeof frame));
    struct om_ether e = {.type = c->head == 20 ? OM_ETHER_IP4 : OM_ETHER_IP6};

    memcpy(e.src, card, sizeof e.src);
    memcpy(e.dst, ours, sizeof e.dst);
    om_ether_write(&w, &e);
    om_wr_copy(&w, c->b, c->n);
    return om_bytes(frame, om_wr_len(&w));
}

/* A segment of the card's; false: it is the stack's. */
static bool says(const char *from, uint16_t port, const char *to, uint16_t to_port, uint8_t flags,
                 struct om_bytes *answer)
{
    struct craft c;

    (void)craft_tcp(&c, from, port, to, to_port, flags, 0);
    return link_kept_input(k, framed(&c), om_mut(room, sizeof room), answer);
}

/* A frame of ours that the card takes, its checksums right. */
static bool reads(struct om_packet *p, struct om_bytes f)
{
    struct om_ether e;

    return om_ether_parse(&e, f) == OM_BAD_NONE && memcmp(e.src, ours, OM_MAC) == 0 &&
           memcmp(e.dst, card, OM_MAC) == 0 && om_packet_parse(p, e.payload) == OM_BAD_NONE &&
           p->carries == OM_CARRIES_TCP;
}

static struct om_bytes tick(om_time now)
{
    return link_kept_tick(k, now, om_mut(room, sizeof room));
}

/* What is kept, asked and reset, between these two. */
static void check_reset(const char *here, const char *there)
{
    struct om_bytes answer;
    struct om_packet p;

    OM_TRY(put(here, 80, there, 4000) != 0 && reopen());
    OM_TRY(link_kept_left(k) == 1);
    CHECK_EQ(link_kept_deadline(k), OM_NEVER); /* before there is a card */
    link_kept_start(k, OM_SEC(9));
    CHECK_EQ(link_kept_deadline(k), OM_SEC(9));
    OM_TRY(reads(&p, tick(OM_SEC(9))));
    CHECK_EQ(p.ip.src.port, 80);
    CHECK_EQ(p.ip.dst.port, 4000);
    CHECK_EQ(p.l4.flags, OM_TCP_ACK);
    CHECK_EQ(p.l4.seq, 0);
    CHECK_EQ(tick(OM_SEC(9)).n, 0);
    CHECK(!says(there, 4001, here, 80, OM_TCP_ACK, &answer)); /* another one */
    OM_TRY(says(there, 4000, here, 80, OM_TCP_ACK, &answer));
    OM_TRY(reads(&p, answer));
    CHECK_EQ(p.ip.src.port, 80);
    CHECK_EQ(p.l4.flags, OM_TCP_RST);
    CHECK_EQ(p.l4.seq, NUMBER);
    CHECK(!says(there, 4000, here, 80, OM_TCP_ACK, &answer)); /* once */
    CHECK_EQ(link_kept_left(k), 0);
    OM_TRY(reopen());
    CHECK_EQ(link_kept_left(k), 0);
out:;
}

OM_TEST(link_kept_resets_what_was_left)
{
    OM_TRY(start());
    check_reset("10.64.0.1", "10.64.0.2");
    check_reset("192.0.2.7", "10.64.0.2");
out:
    end();
}

OM_TEST(link_kept_is_for_both_families)
{
    OM_TRY(start());
    check_reset("fd64::1", "fd64::5054:ff:fe00:2");
    check_reset("2001:db8::7", "fd64::5054:ff:fe00:2");
out:
    end();
}

OM_TEST(link_kept_leaves_what_ended)
{
    struct om_bytes answer;

    OM_TRY(start());
    unsigned slot = put("10.64.0.1", 80, "10.64.0.2", 4000);
    OM_TRY(slot != 0 && put("10.64.0.1", 80, "10.64.0.2", 4001) != 0);
    CHECK(!says("10.64.0.2", 4001, "10.64.0.1", 80, OM_TCP_ACK,
                &answer)); /* it stands, is not left */
    link_kept_clear(k, slot);
    link_kept_clear(k, 0);
    OM_TRY(reopen());
    CHECK_EQ(link_kept_left(k), 1);
    CHECK(!says("10.64.0.2", 4000, "10.64.0.1", 80, OM_TCP_ACK, &answer));
    /* The guest had it no more: it says so itself, and nothing is to be said to that. */
    CHECK(says("10.64.0.2", 4001, "10.64.0.1", 80, OM_TCP_RST, &answer));
    CHECK_EQ(answer.n, 0);
    CHECK_EQ(link_kept_left(k), 0);
out:
    end();
}

OM_TEST(link_kept_leaves_what_begins_anew)
{
    struct om_bytes answer;

    OM_TRY(start());
    OM_TRY(put("10.64.0.1", 80, "10.64.0.2", 4000) && put("10.64.0.1", 81, "10.64.0.2", 22));
    OM_TRY(reopen());
    OM_TRY(link_kept_left(k) == 2);
    CHECK(!says("10.64.0.2", 4000, "10.64.0.1", 80, OM_TCP_SYN, &answer));
    CHECK_EQ(link_kept_left(k), 1);
    CHECK(!says("10.64.0.2", 4000, "10.64.0.1", 80, OM_TCP_ACK, &answer));
    CHECK(!says("10.64.0.2", 22, "10.64.0.1", 81, OM_TCP_SYN | OM_TCP_ACK, &answer));
    CHECK(put("10.64.0.1", 81, "10.64.0.2", 22) != 0); /* the peer's, on ports of before */
    CHECK_EQ(link_kept_left(k), 0);
    CHECK(!says("10.64.0.2", 22, "10.64.0.1", 81, OM_TCP_ACK, &answer));
    OM_TRY(reopen());
    CHECK_EQ(link_kept_left(k), 1); /* and not twice */
out:
    end();
}

OM_TEST(link_kept_asks_a_few_times)
{
    enum { MANY = 3 * LINK_KEPT_BURST + 1 };
    unsigned asked = 0, most = 0, rounds = 0;
    om_time now = OM_SEC(5);
    uint32_t seq = UINT32_MAX;
    struct om_packet p;
    struct om_bytes f;

    OM_TRY(start());
    for (unsigned i = 0; i < MANY; i++)
        OM_TRY(put("10.64.0.1", 80, "10.64.0.2", (uint16_t)(4000 + i)) != 0);
    OM_TRY(reopen());
    link_kept_start(k, now);
    for (; link_kept_deadline(k) != OM_NEVER; now = link_kept_deadline(k)) {
        unsigned n = 0;
        OM_TRY(link_kept_deadline(k) <= now + OM_MS(LINK_KEPT_ROUND_MS));
        for (; (f = tick(now)).n > 0; n++) {
            OM_TRY(reads(&p, f));
            rounds += p.l4.seq != seq;
            seq = p.l4.seq;
        }
        OM_TRY(link_kept_deadline(k) > now);
        asked += n;
        most = n > most ? n : most;
    }
    CHECK_EQ(asked, LINK_KEPT_ROUNDS * MANY);
    CHECK_EQ(rounds, LINK_KEPT_ROUNDS);
    CHECK_EQ(most, LINK_KEPT_BURST);
    CHECK_EQ(link_kept_left(k), 0);
    OM_TRY(reopen());
    CHECK_EQ(link_kept_left(k), 0);
out:
    end();
}

/* A slot as the file has it, with @here and @there. */
static bool forge(off_t at, const char *here, uint16_t port, const char *there, uint16_t there_port)
{
    struct om_addr a = craft_ip(here), b = craft_ip(there);
    uint8_t slot[LINK_KEPT_SLOT];
    struct om_wr w = om_wr(om_mut(slot, sizeof slot));
    int file = open(path, O_WRONLY);

    a.port = port;
    b.port = there_port;
    om_wr_u32(&w, 0x6f6d4631);
    om_addr_write(&w, &a);
    om_addr_write(&w, &b);
    bool is_good =
        file >= 0 && pwrite(file, slot, sizeof slot, at * LINK_KEPT_SLOT) == (ssize_t)om_wr_len(&w);
    if (file >= 0)
        (void)close(file);
    return is_good;
}

OM_TEST(link_kept_reads_nothing_strange)
{
    const struct link_config c = config();
    struct link_kept *other = NULL;
    char at[FOLDER_MAX + 16];

    OM_TRY(start());
    OM_TRY(
        forge(0, "10.64.0.1", 80, "10.64.0.3", 4000) && /* another's machine */
        forge(1, "10.64.0.1", 0, "10.64.0.2", 4000) && forge(2, "10.64.0.1", 80, "10.64.0.2", 0) &&
        forge(3, "224.0.0.1", 80, "10.64.0.2", 4000) &&
        forge(4, "127.0.0.1", 80, "10.64.0.2", 4000) &&
        forge(5, "0.0.0.0", 80, "10.64.0.2", 4000) && forge(6, "fd64::1", 80, "10.64.0.2", 4000) &&
        forge(7, "10.64.0.2", 80, "10.64.0.2", 4000) && forge(8, "fd64::1", 80, "fd64::2", 4000));
    OM_TRY(reopen());
    CHECK_EQ(link_kept_left(k), 0);
    OM_TRY(forge(9, "192.0.2.1", 80, "10.64.0.2", 4000) && /* these are as they should be */
           forge(LINK_KEPT_MAX - 1, "fd64::1", 80, "fd64::5054:ff:fe00:2", 4000));
    OM_TRY(forge(LINK_KEPT_MAX, "10.64.0.1", 81, "10.64.0.2", 4000)); /* beyond the last */
    OM_TRY(reopen());
    CHECK_EQ(link_kept_left(k), 2);
    OM_TRY(truncate(path, 10 * LINK_KEPT_SLOT - 1) == 0 && reopen());
    CHECK_EQ(link_kept_left(k), 0);
    folder_at(at, top, "link");
    OM_TRY(symlink(path, at) == 0);
    CHECK(!link_kept_open(&other, at, &c, &err)); /* O_NOFOLLOW */
    CHECK(!link_kept_open(&other, top, &c, &err));
    folder_at(at, top, "pipe");
    OM_TRY(mkfifo(at, S_IRUSR | S_IWUSR) == 0);
    CHECK(!link_kept_open(&other, at, &c, &err));
out:
    link_kept_close(&other);
    end();
}

OM_TEST(link_kept_is_bounded)
{
    unsigned slot = 0;

    OM_TRY(start());
    for (unsigned i = 0; i < LINK_KEPT_MAX; i++)
        OM_TRY((slot = put("10.64.0.1", 80, "10.64.0.2", (uint16_t)(4000 + i))) != 0);
    CHECK_EQ(put("10.64.0.1", 80, "10.64.0.2", 80), 0);
    link_kept_clear(k, slot);
    CHECK_EQ(put("10.64.0.1", 80, "10.64.0.2", 80), slot);
    OM_TRY(reopen());
    CHECK_EQ(link_kept_left(k), LINK_KEPT_MAX);
    CHECK_EQ(put("10.64.0.1", 80, "10.64.0.2", 81), 0); /* those have precedence */
    link_kept_close(&k);
    CHECK_EQ(put("10.64.0.1", 80, "10.64.0.2", 81), 0);
out:
    end();
}

/* The gate knows nothing of what was before it; what we ask must not change that. */
OM_TEST(link_kept_opens_no_flow_in_the_gate)
{
    static const uint8_t key[OM_SIP_KEY] = {7};
    const struct link_config c = config();
    struct link_gate *gate = NULL;
    struct om_bytes f, answer;
    struct craft out;

    OM_TRY(start());
    OM_TRY(link_gate_new(&gate, &c, 0, key) == OM_OK);
    OM_TRY(put("192.0.2.7", 80, "10.64.0.2", 4000) != 0 && reopen());
    link_kept_start(k, 0);
    f = tick(0);
    OM_TRY(f.n > 0);
    link_gate_answer(gate, 0, f);
    (void)craft_tcp(&out, "10.64.0.2", 4000, "192.0.2.7", 80, OM_TCP_ACK, 0);
    CHECK(!link_gate_passes(gate, 0, framed(&out))); /* so it has to be asked of us before */
    CHECK(says("10.64.0.2", 4000, "192.0.2.7", 80, OM_TCP_ACK, &answer));
    link_gate_answer(gate, 0, answer);
    (void)craft_tcp(&out, "10.64.0.2", 4000, "192.0.2.7", 80, OM_TCP_SYN, 0);
    CHECK(link_gate_passes(gate, 0, framed(&out)));
out:
    link_gate_free(gate);
    end();
}
