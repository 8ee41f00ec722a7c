/* test_node_ip.c - IP packets between two nodes, over ways that are too small for them. */
#include "harness.h"

#include <omerta/ip.h>

#include "node/size.h"
#include "pair.h"

enum { PACKET = 9000 };

static uint8_t packet[PACKET + 1];

static bool is_small(struct pair *p, const struct pair_dgram *d)
{
    return d->len <= *(const size_t *)p->filter_arg;
}

static bool begin(struct pair *p, size_t *carries)
{
    struct pair_options o = pair_defaults();

    o.limits.link_mtu = 1500; /* less to search through */

    for (unsigned i = 0; i < sizeof packet; i++)
        packet[i] = (uint8_t)('a' + i % 26);
    if (!pair_init(p, &o))
        return false;
    p->filter = is_small;
    p->filter_arg = carries;
    if (pair_connect(p, 0) != OM_OK)
        return false;
    pair_run(p, p->now + OM_SEC(1));
    return true;
}

static enum om_err send(struct pair *p, size_t n)
{
    return om_node_send_ip(p->side[0].node, p->now, &p->network, &p->side[1].id,
                           om_bytes(packet, n));
}

static enum om_err allow(struct pair *p, bool is_allowed)
{
    return om_node_allow_ip(p->side[1].node, &p->network, &p->side[0].id, is_allowed);
}

OM_TEST(ip_crosses_a_small_path)
{
    static const size_t sizes[] = {1, 500, 1200, 1473, 2100, PACKET};
    size_t carries = 900 - 28;
    struct pair p;

    OM_TRY(begin(&p, &carries));
    OM_TRY(allow(&p, true) == OM_OK);
    for (unsigned i = 0; i < 45; i++) { /* it learns what passes */
        OM_TRY(send(&p, 1400) == OM_OK);
        pair_run(&p, p.now + OM_MS(400));
    }
    CHECK(pair_peer(&p, 0).mtu > 864 && pair_peer(&p, 0).mtu <= 872);
    CHECK(pair_peer(&p, 0).mtu_done);
    unsigned had = p.side[1].packets;
    for (unsigned i = 0; i < OM_ARRAY_SIZE(sizes); i++) {
        OM_TRY(send(&p, sizes[i]) == OM_OK);
        pair_run(&p, p.now + OM_MS(200));
        CHECK_EQ(p.side[1].packets, had + i + 1);
        CHECK_EQ(p.side[1].packet_bytes, sizes[i]);
        CHECK_MEM(p.side[1].last, packet, sizes[i] < 63 ? sizes[i] : 63);
    }
    CHECK_ERR(send(&p, 0), OM_E_RANGE);
    CHECK_ERR(send(&p, OM_IP_MAX + 1), OM_E_RANGE);
out:
    pair_fini(&p);
}

OM_TEST(ip_is_refused_unless_allowed)
{
    size_t carries = SIZE_MAX;
    struct pair p;

    OM_TRY(begin(&p, &carries));
    OM_TRY(send(&p, PACKET) == OM_OK);
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_EQ(p.side[1].packets, 0);
    CHECK_EQ(pair_info(&p, 1).drops[OM_DROP_IP], 1);
    OM_TRY(allow(&p, true) == OM_OK);
    OM_TRY(send(&p, PACKET) == OM_OK);
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_EQ(p.side[1].packets, 1);
    OM_TRY(allow(&p, false) == OM_OK);
    OM_TRY(send(&p, 100) == OM_OK);
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_EQ(p.side[1].packets, 1);
    CHECK_EQ(pair_info(&p, 1).drops[OM_DROP_IP], 2);
out:
    pair_fini(&p);
}

OM_TEST(ip_queue_drops_the_oldest)
{
    size_t carries = 0; /* nothing passes, so all of it waits */
    struct pair p;

    OM_TRY(begin(&p, &carries));
    OM_TRY(allow(&p, true) == OM_OK);
    for (unsigned i = 0; i < OM_IP_WAITING_MAX; i++)
        OM_TRY(send(&p, 1000) == OM_OK);
    CHECK_EQ(pair_info(&p, 0).drops[OM_DROP_QUEUE_FULL], 0);
    OM_TRY(send(&p, 1001) == OM_OK);
    CHECK_EQ(pair_info(&p, 0).drops[OM_DROP_QUEUE_FULL], 1);
    carries = SIZE_MAX;
    pair_run(&p, p.now + OM_SEC(70));
    CHECK_EQ(p.side[1].packets, OM_IP_WAITING_MAX);
    CHECK_EQ(p.side[1].packet_bytes, 1001);
out:
    pair_fini(&p);
}
