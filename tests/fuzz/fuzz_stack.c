/*
 * fuzz_stack.c - packets to a stack: any bytes, on a catch-all and on an Ethernet port
 *
 * The input is a list of records: a byte that says what to do, two bytes of length, the packet.
 * Checksums of TCP and UDP are not looked at, so that what is inside is reached.
 */
#include <omerta/stack.h>
#include <omerta/stack_flow.h>

#include "fuzz.h"

enum { PORTS = 3, RECORDS_MAX = 200 };

struct rig {
    struct om_stack *stack;
    om_time now;
    uint32_t port[PORTS];
    uint32_t flow; /* the last accepted */
};

static void fill(void *self, void *dst, size_t n)
{
    (void)self;
    memset(dst, 0x5a, n);
}

static void drain(struct rig *r, unsigned how)
{
    struct om_stack_act act;

    while (om_stack_next(r->stack, &act)) {
        FUZZ_MUST(act.kind < OM_STACK_ACT_COUNT);
        if (act.kind == OM_STACK_ASK && how & 1)
            om_stack_refuse(r->stack, r->now, act.ask,
                            how >> 1 & 1 ? OM_REFUSE_RST : OM_REFUSE_PROHIBITED);
        else if (act.kind == OM_STACK_ASK)
            FUZZ_MUST(om_stack_accept(r->stack, r->now, act.ask, &r->flow) != OM_E_MISSING);
        if (act.kind != OM_STACK_FLOW)
            continue;
        om_flow_consume(r->stack, r->now, act.flow, om_flow_waiting(r->stack, act.flow));
        (void)om_flow_write(r->stack, r->now, act.flow, om_bytes("hello", 5));
        if (act.news & OM_FLOW_END)
            om_flow_close(r->stack, r->now, act.flow, how >> 2 & 1);
    }
}

static void rig_start(struct rig *r)
{
    struct om_port_config c = {.kind = OM_PORT_IP,
                               .mtu = 1500,
                               .flows_max = 64,
                               .v4_prefix = 24,
                               .has_v4 = true,
                               .has_v6 = true,
                               .v4 = om_addr_v4(0x0a000001, 0),
                               .v6 = {.ip = {0xfd, [15] = 1}}};

    for (unsigned i = 0; i < PORTS; i++) {
        c.kind = i == 2 ? OM_PORT_ETHER : OM_PORT_IP;
        c.mac[0] = 2;
        c.is_catch_all = i > 0;
        FUZZ_MUST(om_stack_port_add(r->stack, &c, &r->port[i]) == OM_OK);
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct rig r = {.now = OM_SEC(1)};
    struct om_rd in = om_rd(om_bytes(data, size));

    FUZZ_MUST(om_stack_new(&r.stack, &(struct om_rng){fill, NULL}, r.now) == OM_OK);
    rig_start(&r);
    for (unsigned i = 0; i < RECORDS_MAX && om_rd_left(&in); i++) {
        uint8_t how = om_rd_u8(&in);
        size_t n = om_rd_u16(&in);
        n = n < om_rd_left(&in) ? n : om_rd_left(&in);
        struct om_bytes packet = om_rd_bytes(&in, n);
        uint8_t *copy = fuzz_copy(packet.p, packet.n);
        om_stack_input(r.stack, r.now, r.port[how % PORTS], om_bytes(copy, packet.n));
        free(copy);
        drain(&r, how >> 2);
        r.now += how & 0x80 ? OM_SEC(2) : OM_MS(1);
        if (om_stack_deadline(r.stack) <= r.now)
            om_stack_tick(r.stack, r.now);
        drain(&r, how >> 2);
    }
    om_stack_free(r.stack);
    return 0;
}
