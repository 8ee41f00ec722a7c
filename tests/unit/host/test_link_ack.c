/* Which acknowledgement may take the place of the one before it. */
#include "harness.h"

#include "links/link_ack.h"
#include "netstack/craft.h"

#define GUEST "10.77.1.2"
#define HERE  "10.77.1.1"

enum { ACK = 0x10, PUSH = 0x08, FIN = 0x01, ETHER = 14, ACK_AT = 8, SEQ_AT = 4, FLAGS_AT = 13 };

/* Two frames: acknowledgements as they are; then one thing of the later differs. */
struct two {
    uint8_t a[128], b[128];
    size_t n, tcp; /* bytes of each; where their TCP headers are */
};

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static struct two make(bool is_ether, bool is_v6, uint32_t first, uint32_t second)
{
    struct two t = {.tcp = (is_ether ? ETHER : 0) + (is_v6 ? 40U : 20U)};
    struct craft c;

    (void)craft_tcp(&c, is_v6 ? "fd6f::1" : HERE, 5201, is_v6 ? "fd6f::2" : GUEST, 40000, ACK, 0);
    size_t head = is_ether ? ETHER : 0;
    t.n = head + c.n;
    memcpy(t.a + head, c.b, c.n);
    memcpy(t.b + head, c.b, c.n);
    put32(t.a + t.tcp + ACK_AT, first);
    put32(t.b + t.tcp + ACK_AT, second);
    t.b[t.tcp + 15]++; /* the window moves, too */
    return t;
}

static bool follows(const struct two *t, bool is_ether)
{
    return link_ack_follows(is_ether, om_bytes(t->a, t->n), om_bytes(t->b, t->n));
}

OM_TEST(link_ack_follows_an_older_one)
{
    for (unsigned i = 0; i < 4; i++) {
        struct two t = make(i & 1, i & 2, 1000, 4000);
        CHECK(follows(&t, i & 1));
        t = make(i & 1, i & 2, UINT32_MAX - 5, 10); /* around the end of the numbers */
        CHECK(follows(&t, i & 1));
    }
}

OM_TEST(link_ack_keeps_what_says_more)
{
    struct two t = make(true, false, 1000, 1000);

    CHECK(!follows(&t, true)); /* a duplicate tells of a loss */
    t = make(true, false, 4000, 1000);
    CHECK(!follows(&t, true));
    /* A flag of the later one, where we are ourselves, ports, options. */
    const size_t at[] = {FLAGS_AT, SEQ_AT + 3, 1, 3, 12};
    for (unsigned i = 0; i < OM_ARRAY_SIZE(at); i++) {
        t = make(true, false, 1000, 4000);
        CHECK(follows(&t, true));
        t.b[t.tcp + at[i]] ^= i == 0 ? PUSH : 0x20;
        CHECK(!follows(&t, true));
    }
    t = make(true, false, 1000, 4000);
    t.a[t.tcp + FLAGS_AT] = t.b[t.tcp + FLAGS_AT] = ACK | FIN;
    CHECK(!follows(&t, true));
    t = make(true, false, 1000, 4000);
    t.b[t.tcp - 1] ^= 1; /* of the address */
    CHECK(!follows(&t, true));
    t = make(true, false, 1000, 4000);
    t.b[5] ^= 1; /* of the card */
    CHECK(!follows(&t, true));
}

OM_TEST(link_ack_reads_no_further_than_there_is)
{
    struct two t = make(true, false, 1000, 4000);

    for (size_t n = 0; n < t.n; n++)
        CHECK(!link_ack_follows(true, om_bytes(t.a, n), om_bytes(t.b, n)));
    CHECK(!link_ack_follows(true, om_bytes(t.a, t.n), om_bytes(t.b, t.n + 1)));
    CHECK(!link_ack_follows(true, om_bytes(t.a, t.n + 1), om_bytes(t.b, t.n + 1))); /* data */
    CHECK(!link_ack_follows(false, om_bytes(t.a, t.n), om_bytes(t.b, t.n)));
    CHECK(!link_ack_follows(true, om_bytes(NULL, 0), om_bytes(t.b, t.n)));
}
