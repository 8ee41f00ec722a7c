/* test_services.c - messages, status and probes between whole nodes, and peers that lie in them. */
#include "harness.h"

#include "fault.h"
#include "flight.h"
#include "node/state.h"
#include "request.h"

struct duo {
    struct sim_world *w;
    struct sim_actor *a, *b, *c;
};

static struct duo duo_new(uint64_t seed)
{
    struct duo d = {.w = sim_world_new(seed, NULL)};

    sim_network_add(d.w, "main", true, 0);
    d.a = sim_node_add(d.w, "a", NULL);
    d.b = sim_node_add(d.w, "b", NULL);
    d.c = sim_node_add(d.w, "c", NULL);
    CHECK_OK(sim_connect(d.a, NULL, d.b, NULL, 0));
    CHECK_OK(sim_connect(d.c, NULL, d.a, NULL, 0));
    sim_run(d.w, OM_SEC(1));
    return d;
}

static const struct om_id *net(const struct duo *d)
{
    return &d->w->networks[0].id;
}

static struct om_id *id_of(const struct duo *d, struct sim_actor *a)
{
    static struct om_id id;

    id = *sim_actor_id(a, &d->w->networks[0]);
    return &id;
}

static void post(struct duo *d, struct sim_actor *from, struct sim_actor *to, const char *text,
                 uint8_t id[static OM_MESSAGE_ID])
{
    CHECK_OK(om_node_post(from->node, sim_node_clock(from), net(d), id_of(d, to), OM_MESSAGE_TEXT,
                          om_bytes(text, strlen(text)), id));
    sim_node_drain(from);
}

OM_TEST(message_is_delivered_and_read)
{
    struct duo d = duo_new(1);
    uint8_t id[OM_MESSAGE_ID];

    post(&d, d.a, d.b, "good morning", id);
    sim_run(d.w, OM_SEC(3));
    CHECK_EQ(d.b->messages, 1);
    CHECK_STR(d.b->mail_text, "good morning");
    CHECK_MEM(d.b->mail.id, id, sizeof id);
    CHECK(om_id_equal(&d.b->mail.peer, id_of(&d, d.a)));
    CHECK_EQ(d.a->receipts[OM_RECEIPT_DELIVERED], 1);
    CHECK_EQ(d.a->receipts[OM_RECEIPT_READ], 0);
    CHECK_OK(om_node_receipt(d.b->node, sim_node_clock(d.b), net(&d), id_of(&d, d.a), id, true));
    sim_node_drain(d.b);
    sim_run(d.w, OM_SEC(5));
    CHECK_EQ(d.a->receipts[OM_RECEIPT_READ], 1);
    CHECK_STR(d.w->broken, "");
    sim_world_free(d.w);
}

OM_TEST(message_waits_for_who_is_away)
{
    struct duo d = duo_new(2);
    uint8_t id[OM_MESSAGE_ID];

    CHECK_OK(sim_crash(d.b));
    sim_run(d.w, OM_SEC(2));
    post(&d, d.a, d.b, "for when you are back", id);
    sim_run(d.w, OM_SEC(600));
    CHECK_EQ(d.a->receipts[OM_RECEIPT_DELIVERED] + d.a->receipts[OM_RECEIPT_FAILED], 0);
    CHECK_OK(sim_restart(d.b, false, false));
    CHECK_OK(sim_connect(d.b, NULL, d.a, NULL, 0));
    sim_run(d.w, OM_SEC(620));
    CHECK_EQ(d.b->messages, 1);
    CHECK_STR(d.b->mail_text, "for when you are back");
    CHECK_EQ(d.a->receipts[OM_RECEIPT_DELIVERED], 1);
    CHECK_STR(d.w->broken, "");
    sim_world_free(d.w);
}

OM_TEST(message_fails_when_its_time_is_over)
{
    struct duo d = duo_new(3);
    uint8_t id[OM_MESSAGE_ID];

    CHECK_OK(sim_crash(d.b));
    post(&d, d.a, d.b, "too late", id);
    sim_run(d.w, OM_SEC(25 * 3600));
    CHECK_EQ(d.a->receipts[OM_RECEIPT_FAILED], 1);
    CHECK_EQ(d.a->receipts[OM_RECEIPT_DELIVERED], 0);
    sim_world_free(d.w);
}

/* @liar says of message @id that it was read. */
static void claim_read(struct duo *d, struct sim_actor *liar,
                       const uint8_t id[static OM_MESSAGE_ID])
{
    char args[100] = "{\"id\":\"";
    struct om_call_config c = {.method = "message.receipt"};
    uint64_t call;
    size_t n = strlen(args);

    for (unsigned i = 0; i < OM_MESSAGE_ID; i++, n += 2)
        snprintf(args + n, sizeof args - n, "%02x", id[i]);
    n += (size_t)snprintf(args + n, sizeof args - n, "\",\"state\":\"read\"}");
    c.args = om_bytes(args, n);
    CHECK_OK(om_node_call(liar->node, sim_node_clock(liar), net(d), id_of(d, d->a), &c, &call));
    for (struct om_act act; om_node_next(liar->node, &act);)
        if (act.kind == OM_ACT_SEND) {
            sim_transmit(d->w, liar, &liar->addr, &act.send.via.remote,
                         om_sealed_bytes(act.send.dgram));
            om_node_sent(liar->node, act.send.dgram);
        }
    sim_run(d->w, d->w->now + OM_MS(15)); /* it is heard; the answer is not waited for */
    om_node_hang_up(liar->node, sim_node_clock(liar), call, 0);
    sim_node_drain(liar);
    sim_run(d->w, d->w->now + OM_SEC(1));
}

OM_TEST(message_receipts_count_only_from_the_receiver)
{
    struct duo d = duo_new(4);
    uint8_t id[OM_MESSAGE_ID], never[OM_MESSAGE_ID] = {7};

    post(&d, d.a, d.b, "for b alone", id);
    sim_run(d.w, OM_SEC(3));
    CHECK_EQ(d.a->receipts[OM_RECEIPT_DELIVERED], 1);
    claim_read(&d, d.c, id);    /* another peer knows the id, and lies */
    claim_read(&d, d.b, never); /* the receiver itself, of what was never sent */
    CHECK_EQ(d.a->receipts[OM_RECEIPT_READ], 0);
    claim_read(&d, d.b, id); /* the control: the same words, and true */
    CHECK_EQ(d.a->receipts[OM_RECEIPT_READ], 1);
    CHECK_EQ(d.a->node->services[0]->message.counts.strange, 2);
    sim_world_free(d.w);
}

OM_TEST(health_tells_status)
{
    struct duo d = duo_new(5);

    sim_run(d.w, OM_SEC(100));
    CHECK_OK(om_node_status(d.a->node, sim_node_clock(d.a), net(&d), id_of(&d, d.b)));
    sim_node_drain(d.a);
    sim_run(d.w, OM_SEC(102));
    CHECK_EQ(d.a->statuses, 1);
    CHECK(d.a->status.is_ok);
    CHECK(d.a->status.status.uptime_s >= 99 && d.a->status.status.uptime_s <= 101);
    CHECK_EQ((int)d.a->status.status.peers, 1);
    CHECK_OK(sim_crash(d.b));
    CHECK_OK(om_node_status(d.a->node, sim_node_clock(d.a), net(&d), id_of(&d, d.b)));
    sim_node_drain(d.a);
    sim_run(d.w, OM_SEC(140));
    CHECK_EQ(d.a->statuses, 2);
    CHECK(!d.a->status.is_ok);
    sim_world_free(d.w);
}

static void probe(struct duo *d, unsigned count)
{
    CHECK_OK(om_node_probe(d->a->node, sim_node_clock(d->a), net(d), id_of(d, d->b), count, 0, 0));
    sim_node_drain(d->a);
}

OM_TEST(health_probe_measures_the_way)
{
    struct duo d = duo_new(6);

    d.w->model.latency = OM_MS(35);
    probe(&d, 20);
    CHECK_ERR(om_node_probe(d.a->node, sim_node_clock(d.a), net(&d), id_of(&d, d.b), 20, 0, 0),
              OM_E_BUSY);
    sim_run(d.w, OM_SEC(10));
    CHECK_EQ(d.a->probes, 1);
    CHECK_EQ(d.a->probe.sent, 20);
    CHECK_EQ(d.a->probe.echoed, 20);
    CHECK_EQ(d.a->probe.rtt_min, OM_MS(70));
    CHECK_EQ(d.a->probe.lies, 0);
    d.w->model.loss = (struct sim_loss_model){.ppm = 200000};
    probe(&d, 100);
    sim_run(d.w, OM_SEC(40));
    CHECK_EQ(d.a->probes, 2);
    CHECK(d.a->probe.echoed > 40 && d.a->probe.echoed < 85); /* 64 of 100 are expected */
    CHECK_EQ(d.a->probe.lost_there + d.a->probe.lost_back, 100 - d.a->probe.echoed);
    sim_world_free(d.w);
}

/* B guesses echoes before the probes have even reached it. */
OM_TEST(health_liar_cannot_shorten_the_way)
{
    struct duo d = duo_new(7);
    uint8_t lie[OM_PROBE_SIZE] = {2};
    struct om_peer *p;

    d.w->model.latency = OM_MS(50);
    probe(&d, 10);
    p = om_peers_find(&d.b->node->peers, d.b->node->networks[0], id_of(&d, d.a));
    CHECK(p);
    for (unsigned i = 0; i < 40; i++) {
        lie[12] = (uint8_t)(i % 10); /* sequence */
        lie[16] = 10;                /* "all came" */
        CHECK_OK(node_send_datagram(d.b->node, sim_node_clock(d.b), p, OM_PROBE_CHANNEL,
                                    om_bytes(lie, sizeof lie)));
        sim_node_drain(d.b);
        sim_run(d.w, d.w->now + OM_MS(20));
    }
    sim_run(d.w, d.w->now + OM_SEC(10));
    CHECK_EQ(d.a->probes, 1);
    CHECK(d.a->probe.lies >= 30);
    CHECK_EQ(d.a->probe.echoed, 10); /* the true ones count all the same */
    CHECK_EQ(d.a->probe.rtt_min, OM_MS(100));
    sim_world_free(d.w);
}

/* What is larger than the way goes in slices, there and back. */
OM_TEST(health_probe_may_be_larger_than_the_way)
{
    struct duo d = duo_new(8);

    d.w->model.mtu = 1280;
    CHECK_ERR(om_node_probe(d.a->node, sim_node_clock(d.a), net(&d), id_of(&d, d.b), 20, 0,
                            OM_PROBE_BYTES_MAX + 1),
              OM_E_RANGE);
    CHECK_OK(om_node_probe(d.a->node, sim_node_clock(d.a), net(&d), id_of(&d, d.b), 20, 0,
                           OM_PROBE_BYTES_MAX));
    sim_node_drain(d.a);
    sim_run(d.w, OM_SEC(10));
    CHECK(d.a->probe.sent == 20 && d.a->probe.echoed == 20 && d.a->probe.lies == 0);
    sim_world_free(d.w);
}
