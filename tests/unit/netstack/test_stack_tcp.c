/* test_stack_tcp.c - connections of a stack: small bytes, closing, failing */
#include "link.h"

OM_TEST(tcp_moves_single_bytes)
{
    link_exchange("192.0.2.77:80", 0, 600, 1);
}

OM_TEST(tcp_half_closes_both_ways)
{
    struct link l;
    struct link_end *client;

    OM_TRY(link_start(&l));
    l.server_goal = 3000;
    OM_TRY(client = link_connect(&l, "192.0.2.77:80", 5000));
    client->finishes = true;
    OM_TRY(link_until(&l, link_all_read));
    link_carry(&l);
    OM_TRY(l.ends[1].is_end && !client->is_end); /* one direction is closed, */
    l.ends[1].goal += 100000;                    /* the other goes on */
    l.ends[1].finishes = true;
    link_end_write(&l, &l.ends[1]);
    OM_TRY(link_until(&l, link_all_ended));
    CHECK_EQ(client->read, 103000);
    CHECK_EQ(client->wrong, 0);
    om_flow_close(l.stack, l.now, l.ends[0].flow, false);
    om_flow_close(l.stack, l.now, l.ends[1].flow, false);
    OM_TRY(link_until(&l, link_no_flows));
out:
    link_stop(&l);
}

OM_TEST(tcp_connect_to_nobody_times_out)
{
    struct link l;

    OM_TRY(link_start(&l));
    l.drop_every = 1;
    OM_TRY(link_connect(&l, "192.0.2.77:80", 0));
    OM_TRY(link_until(&l, link_client_is_told));
    CHECK(l.ends[0].news == OM_FLOW_TIMEOUT);
    CHECK(l.dropped > 3); /* it tried again */
    CHECK(l.now < OM_SEC(5 + 10));
    om_flow_close(l.stack, l.now, l.ends[0].flow, false);
    CHECK_EQ(om_stack_flows(l.stack), 0);
    link_drain(&l);
    CHECK(om_stack_deadline(l.stack) == OM_NEVER);
out:
    link_stop(&l);
}

OM_TEST(tcp_abort_is_a_reset)
{
    struct link l;

    OM_TRY(link_start(&l));
    OM_TRY(link_connect(&l, "192.0.2.77:80", 1000));
    OM_TRY(link_until(&l, link_all_read));
    om_flow_close(l.stack, l.now, l.ends[1].flow, true);
    OM_TRY(link_until(&l, link_client_is_told));
    CHECK(l.ends[0].news & OM_FLOW_RESET);
    CHECK_EQ(om_flow_write(l.stack, l.now, l.ends[0].flow, om_bytes("x", 1)), 0);
    CHECK_EQ(om_flow_write(l.stack, l.now, l.ends[1].flow, om_bytes("x", 1)), 0);
    om_flow_close(l.stack, l.now, l.ends[0].flow, false);
    CHECK_EQ(om_stack_flows(l.stack), 0);
out:
    link_stop(&l);
}

OM_TEST(tcp_port_may_be_used_again_at_once)
{
    struct link l;
    struct om_addr from = link_addr("10.0.0.1:4000"), to = link_addr("192.0.2.77:80");
    struct om_addr here, there;
    uint32_t flow;

    OM_TRY(link_start(&l));
    for (unsigned round = 0; round < 3; round++) {
        OM_TRY(om_stack_connect(l.stack, l.now, l.port[0], &from, &to, &flow) == OM_OK);
        CHECK_ERR(om_stack_connect(l.stack, l.now, l.port[0], &from, &to, &flow), OM_E_EXISTS);
        link_end_add(&l, flow, 0);
        link_carry(&l);
        OM_TRY(l.end_count == 2 * round + 2);
        OM_TRY(om_flow_ends(l.stack, flow, &here, &there));
        CHECK(om_addr_equal(&here, &from) && om_addr_equal(&there, &to));
        OM_TRY(om_flow_ends(l.stack, l.ends[2 * round + 1].flow, &here, &there));
        CHECK(om_addr_equal(&here, &to) && om_addr_equal(&there, &from));
        /* The catch-all closes first, and is left in TIME-WAIT; the client is through with it. */
        om_flow_close(l.stack, l.now, l.ends[2 * round + 1].flow, false);
        link_carry(&l);
        om_flow_close(l.stack, l.now, flow, false);
        link_carry(&l);
        CHECK_EQ(om_stack_flows(l.stack), 1);
        CHECK(!om_flow_ends(l.stack, flow, &here, &there));
    }
out:
    link_stop(&l);
}

OM_TEST(tcp_more_waits_for_the_rest)
{
    enum { V4_TCP_HEAD = 40, FLAGS_AT = 33, PUSH = 8, SOME = 300, REST = 20 };
    static const uint8_t bytes[SOME];
    struct link l;
    struct link_end *client;

    OM_TRY(link_start(&l));
    OM_TRY(client = link_connect(&l, "192.0.2.77:80", 0));
    OM_TRY(link_until(&l, link_all_read));
    link_carry(&l);
    OM_TRY(client->news & OM_FLOW_OPEN);
    unsigned before = l.carried;
    CHECK_EQ(om_flow_write_more(l.stack, l.now, client->flow, om_bytes(bytes, SOME)), SOME);
    link_drain(&l);
    CHECK_EQ(l.carried, before);
    CHECK_EQ(om_flow_write(l.stack, l.now, client->flow, om_bytes(bytes, REST)), REST);
    link_drain(&l);
    CHECK_EQ(l.carried, before + 1); /* one segment, and it says that there is no more */
    CHECK_EQ(l.last_n, V4_TCP_HEAD + SOME + REST);
    CHECK(l.last[FLAGS_AT] & PUSH);
out:
    link_stop(&l);
}

OM_TEST(tcp_send_max_bounds_what_is_under_way)
{
    enum { SEND_MAX = 16 * 1024, ALL = 200000 };
    static const uint8_t bytes[ALL];
    struct om_port_config config[2] = {link_config(false), link_config(true)};
    struct link l;
    struct link_end *client;

    config[0].send_max = SEND_MAX;
    OM_TRY(link_start_with(&l, config));
    l.server_goal = ALL;
    OM_TRY(client = link_connect(&l, "192.0.2.77:80", ALL));
    OM_TRY(link_until(&l, link_all_read)); /* all of it comes, both ways, */
    CHECK_EQ(l.ends[1].wrong + client->wrong, 0);
    CHECK(client->short_writes > ALL / SEND_MAX / 2);
    link_pass(&l, l.now + OM_SEC(1)); /* the last acknowledgement */
    /* and of the one with the bound there is never more under way; of the other one there is. */
    CHECK_EQ(om_flow_write(l.stack, l.now, client->flow, om_bytes(bytes, ALL)), SEND_MAX);
    CHECK_EQ(om_flow_write(l.stack, l.now, l.ends[1].flow, om_bytes(bytes, ALL)), ALL);
out:
    link_stop(&l);
}
