/* test_stack_bulk.c - connections of a stack: many bytes, many flows, credit, limits */
#include "netstack/link.h"

#include <stdio.h>

enum { MIB = 1 << 20 };

OM_TEST(tcp_moves_bytes_both_ways_v4)
{
    link_exchange("192.0.2.77:80", 0, MIB, 0);
}

OM_TEST(tcp_moves_bytes_both_ways_v6)
{
    link_exchange("[2001:db8::77]:80", 0, MIB, 0);
}

OM_TEST(tcp_survives_loss)
{
    link_exchange("192.0.2.77:80", 10, MIB / 4, 0);
}

OM_TEST(tcp_slow_reader_stops_the_writer)
{
    struct link l;
    struct link_end *client;

    OM_TRY(link_start(&l));
    OM_TRY(client = link_connect(&l, "192.0.2.77:80", 4 * MIB));
    while (l.end_count < 2)
        OM_TRY(link_step(&l));
    l.ends[1].is_holding = true;
    link_pass(&l, l.now + OM_SEC(120)); /* the window is closed; it is asked, and stays closed */
    size_t waits = om_flow_waiting(l.stack, l.ends[1].flow);
    OM_TRY(waits > MIB / 2 && waits <= MIB);
    CHECK(client->written < 2 * MIB + LINK_CHUNK && client->short_writes > 0);
    CHECK(!link_client_is_told(&l));
    l.ends[1].is_holding = false;
    link_end_serve(&l, &l.ends[1]);
    OM_TRY(link_until(&l, link_all_read));
    CHECK_EQ(l.ends[1].read, 4 * MIB);
    CHECK_EQ(l.ends[1].wrong, 0);
out:
    link_stop(&l);
}

OM_TEST(tcp_close_lingers_and_ends)
{
    struct link l;

    OM_TRY(link_start(&l));
    OM_TRY(link_connect(&l, "192.0.2.77:80", 4 * MIB));
    while (l.end_count < 2)
        OM_TRY(link_step(&l));
    l.ends[1].is_holding = true;
    link_pass(&l, l.now + OM_SEC(1));
    om_flow_close(l.stack, l.now, l.ends[0].flow, false); /* with bytes that nobody reads */
    link_pass(&l, l.now + OM_SEC(OM_FLOW_LINGER_SEC - 1));
    OM_TRY(om_stack_flows(l.stack) == 2);
    link_pass(&l, l.now + OM_SEC(2));
    CHECK_EQ(om_stack_flows(l.stack), 1);
    CHECK(l.ends[1].news & OM_FLOW_RESET);
out:
    link_stop(&l);
}

OM_TEST(tcp_many_flows_to_many_addresses)
{
    enum { FLOWS = 200, BYTES = 20000 };
    struct link l;
    char to[64];

    OM_TRY(link_start(&l));
    l.server_goal = BYTES;
    for (unsigned i = 0; i < FLOWS; i++) { /* each fourth to the same place */
        unsigned host = i % 4 ? i + 1 : 250;
        if (i % 2)
            (void)snprintf(to, sizeof to, "[2001:db8::%x]:443", host);
        else
            (void)snprintf(to, sizeof to, "198.51.100.%u:443", host);
        OM_TRY(link_connect(&l, to, BYTES));
    }
    link_pass(&l, l.now + OM_SEC(20));
    OM_TRY(l.end_count == 2 * FLOWS);
    for (unsigned i = 0; i < 2 * FLOWS; i++) {
        OM_TRY(l.ends[i].read == BYTES);
        CHECK_EQ(l.ends[i].wrong, 0);
    }
out:
    link_stop(&l);
}

OM_TEST(tcp_flows_are_bounded)
{
    struct link l;
    struct om_addr to = link_addr("192.0.2.77:80");
    struct om_port_config config[2] = {link_config(false), link_config(true)};
    uint32_t flow;

    config[1].flows_max = 2;
    OM_TRY(link_start_with(&l, config));
    for (unsigned i = 0; i < 3; i++)
        OM_TRY(link_connect(&l, "192.0.2.77:80", 10));
    link_carry(&l);
    OM_TRY(l.asks == 3 && l.end_count == 5); /* the third may be accepted later */
    CHECK_ERR(om_stack_accept(l.stack, l.now, l.ask.ask, &flow), OM_E_FULL);
    om_flow_close(l.stack, l.now, l.ends[3].flow, true);
    OM_TRY(om_stack_accept(l.stack, l.now, l.ask.ask, &flow) == OM_OK);
    link_carry(&l);
    while (om_stack_flows(l.stack) < OM_FLOWS_MAX)
        OM_TRY(om_stack_connect(l.stack, l.now, l.port[0], NULL, &to, &flow) == OM_OK);
    CHECK_ERR(om_stack_connect(l.stack, l.now, l.port[0], NULL, &to, &flow), OM_E_FULL);
out:
    link_stop(&l);
}

OM_TEST(tcp_many_in_sequence_leave_nothing)
{
    enum { ROUNDS = 2000 };
    struct link l;

    OM_TRY(link_start(&l));
    for (unsigned i = 0; i < ROUNDS; i++) {
        OM_TRY(link_connect(&l, "192.0.2.77:80", 100));
        link_carry(&l);
        OM_TRY(l.end_count == 2 && l.ends[1].read == 100);
        om_flow_close(l.stack, l.now, l.ends[i % 2].flow, false);
        link_carry(&l);
        om_flow_close(l.stack, l.now, l.ends[(i + 1) % 2].flow, false);
        l.end_count = 0;
        link_pass(&l, l.now + OM_MS(20));
    }
    CHECK(om_stack_flows(l.stack) > 0); /* in TIME-WAIT */
    link_pass(&l, l.now + OM_SEC(10));
    CHECK_EQ(om_stack_flows(l.stack), 0);
    CHECK(om_stack_deadline(l.stack) == OM_NEVER);
out:
    link_stop(&l);
}
