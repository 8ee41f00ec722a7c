/* test_stack_ask.c - a catch-all port asks before it answers */
#include "link.h"

#include <stdio.h>

static const char *const to_v4 = "192.0.2.77:80", *const to_v6 = "[2001:db8::77]:80";

/* A client whose SYN became a question that nobody has answered yet. */
static bool ask_once(struct link *l, const char *to)
{
    l->policy = LINK_HOLD;
    if (!link_connect(l, to, 0))
        return false;
    link_carry(l);
    return l->asks == 1;
}

OM_TEST(tcp_refusal_is_told)
{
    struct link l;

    for (unsigned i = 0; i < 2; i++) {
        OM_TRY(link_start(&l));
        OM_TRY(ask_once(&l, i ? to_v6 : to_v4));
        CHECK(om_addr_equal(&l.ask.to, &l.ends[0].to));
        CHECK(l.ask.from.port >= 0xc000 && l.ask.port == l.port[1]);
        CHECK_EQ(l.ends[0].news, 0);
        om_stack_refuse(l.stack, l.now, l.ask.ask, OM_REFUSE_RST);
        om_stack_refuse(l.stack, l.now, l.ask.ask, OM_REFUSE_RST); /* once is enough */
        link_carry(&l);
        OM_TRY(l.ends[0].news == OM_FLOW_REFUSED);
        CHECK_EQ(l.end_count, 1);
        link_stop(&l);
    }
out:
    link_stop(&l);
}

OM_TEST(tcp_unreachable_is_told_by_icmp)
{
    struct link l;

    OM_TRY(link_start(&l));
    OM_TRY(ask_once(&l, to_v4));
    om_stack_refuse(l.stack, l.now, l.ask.ask, OM_REFUSE_UNREACHABLE);
    link_carry(&l);
    OM_TRY(l.last_n == 20 + 8 + 20 + 8);
    CHECK_EQ(l.last[9], 1);                                       /* ICMP */
    CHECK_MEM(l.last + 12, ((uint8_t[]){192, 0, 2, 77}), 4);      /* from whom it did not reach */
    CHECK_MEM(l.last + 20, ((uint8_t[]){3, 1}), 2);               /* host unreachable */
    CHECK_MEM(l.last + 28 + 16, ((uint8_t[]){192, 0, 2, 77}), 4); /* and what it is about */
    CHECK_MEM(l.last + 28 + 22, ((uint8_t[]){0, 80}), 2);
out:
    link_stop(&l);
}

OM_TEST(tcp_prohibited_is_told_by_icmp_v6)
{
    struct link l;

    OM_TRY(link_start(&l));
    OM_TRY(ask_once(&l, to_v6));
    om_stack_refuse(l.stack, l.now, l.ask.ask, OM_REFUSE_PROHIBITED);
    link_carry(&l);
    OM_TRY(l.last_n > 40 + 8 + 40 && l.last[6] == 58);
    CHECK_MEM(l.last + 40, ((uint8_t[]){1, 1}), 2); /* unreachable, prohibited */
    CHECK_EQ(l.last[48] >> 4, 6);
    CHECK_MEM(l.last + 48 + 40 + 2, ((uint8_t[]){0, 80}), 2);
out:
    link_stop(&l);
}

OM_TEST(tcp_ask_expires)
{
    struct link l;
    uint32_t flow;

    OM_TRY(link_start(&l));
    OM_TRY(ask_once(&l, to_v4));
    om_flow_close(l.stack, l.now, l.ends[0].flow, false); /* without a word: no SYN comes again */
    link_pass(&l, l.now + OM_SEC(OM_ASK_SEC - 1));
    CHECK_EQ(om_stack_counts(l.stack)->asks_expired, 0);
    link_pass(&l, l.now + OM_SEC(1));
    CHECK_EQ(om_stack_counts(l.stack)->asks_expired, 1);
    CHECK_ERR(om_stack_accept(l.stack, l.now, l.ask.ask, &flow), OM_E_MISSING);
    om_stack_refuse(l.stack, l.now, l.ask.ask, OM_REFUSE_RST);
    link_drain(&l);
    CHECK_EQ(l.carried, 1);
    CHECK(om_stack_deadline(l.stack) == OM_NEVER);
out:
    link_stop(&l);
}

OM_TEST(tcp_ask_is_asked_once)
{
    struct link l;
    uint32_t flow;

    OM_TRY(link_start(&l));
    OM_TRY(ask_once(&l, to_v4));
    link_pass(&l, l.now + OM_SEC(3)); /* the SYN comes again, and again */
    OM_TRY(l.carried > 2);
    CHECK_EQ(l.asks, 1);
    OM_TRY(om_stack_accept(l.stack, l.now, l.ask.ask, &flow) == OM_OK);
    link_carry(&l);
    OM_TRY(l.ends[0].news & OM_FLOW_OPEN);
    CHECK_EQ(l.asks, 1);
out:
    link_stop(&l);
}

OM_TEST(tcp_ask_dies_with_its_client)
{
    struct link l;
    uint32_t flow;

    OM_TRY(link_start(&l));
    OM_TRY(ask_once(&l, to_v4));
    om_flow_close(l.stack, l.now, l.ends[0].flow, true);
    link_carry(&l);
    CHECK_ERR(om_stack_accept(l.stack, l.now, l.ask.ask, &flow), OM_E_MISSING);
    CHECK_EQ(om_stack_flows(l.stack), 0);
out:
    link_stop(&l);
}

OM_TEST(tcp_ask_put_off_comes_again)
{
    struct link l;
    uint32_t flow;

    OM_TRY(link_start(&l));
    OM_TRY(ask_once(&l, to_v4));
    om_stack_refuse(l.stack, l.now, l.ask.ask, OM_REFUSE_LATER);
    CHECK_ERR(om_stack_accept(l.stack, l.now, l.ask.ask, &flow), OM_E_MISSING);
    link_carry(&l);
    CHECK_EQ(l.asks, 1);
    link_pass(&l, l.now + OM_SEC(5));
    OM_TRY(l.asks == 2);
    CHECK_OK(om_stack_accept(l.stack, l.now, l.ask.ask, &flow));
    link_carry(&l);
    CHECK_EQ(om_stack_flows(l.stack), 2); /* both ends */
out:
    link_stop(&l);
}

OM_TEST(tcp_asks_are_bounded)
{
    struct link l;

    OM_TRY(link_start(&l));
    l.policy = LINK_HOLD;
    for (unsigned i = 0; i < OM_PORT_ASKS_MAX + 1; i++)
        OM_TRY(link_connect(&l, to_v4, 0));
    link_carry(&l);
    OM_TRY(l.asks == OM_PORT_ASKS_MAX);
    CHECK_EQ(om_stack_counts(l.stack)->asks_full, 1);
    om_stack_refuse(l.stack, l.now, l.ask.ask, OM_REFUSE_RST);
    link_pass(&l, l.now + OM_SEC(2)); /* the one without a question asks again */
    CHECK_EQ(l.asks, OM_PORT_ASKS_MAX + 1);
out:
    link_stop(&l);
}

/* Ports that ask for more than is theirs, and one that asks after them. */
OM_TEST(tcp_asks_of_one_port_leave_room)
{
    enum { GREEDY = 4 };
    const struct om_port_config config = link_config(true);
    struct link l;

    OM_TRY(link_start(&l));
    l.policy = LINK_HOLD;
    for (unsigned i = 0; i <= GREEDY; i++) {
        unsigned more = i < GREEDY ? OM_PORT_ASKS_MAX + 1 : 1;
        OM_TRY(om_stack_port_add(l.stack, &config, &l.port[1]) == OM_OK); /* where SYNs arrive */
        for (unsigned k = 0; k < more; k++)
            OM_TRY(link_connect(&l, to_v4, 0));
        link_carry(&l);
        CHECK_EQ(om_stack_counts(l.stack)->asks_full, i < GREEDY ? i + 1 : GREEDY);
    }
    CHECK_EQ(l.asks, GREEDY * OM_PORT_ASKS_MAX + 1);
    CHECK_EQ(l.ask.port, l.port[1]);
    om_stack_port_remove(l.stack, l.port[1]); /* with its question, which counts no more */
    OM_TRY(om_stack_port_add(l.stack, &config, &l.port[1]) == OM_OK);
    for (unsigned k = 0; k < OM_PORT_ASKS_MAX; k++)
        OM_TRY(link_connect(&l, to_v4, 0));
    link_carry(&l);
    CHECK_EQ(l.asks, (GREEDY + 1) * OM_PORT_ASKS_MAX + 1);
out:
    link_stop(&l);
}

OM_TEST(tcp_plain_port_refuses_by_itself)
{
    struct link l;
    struct om_addr from = link_addr("10.0.0.2:900"), to = link_addr("10.0.0.1:80");
    uint32_t flow;

    OM_TRY(link_start(&l));
    OM_TRY(om_stack_connect(l.stack, l.now, l.port[1], &from, &to, &flow) == OM_OK);
    link_end_add(&l, flow, 0);
    link_carry(&l);
    OM_TRY(l.ends[0].news == OM_FLOW_REFUSED);
    CHECK_EQ(l.asks, 0);
out:
    link_stop(&l);
}
