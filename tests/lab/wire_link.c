/* wire_link.c - one direction of a bad cable. */
#include "wire_link.h"

#include <stdlib.h>
#include <string.h>

enum {
    ETHER_BYTES = 14,
    IP6_BYTES = 40,
    ETHER_ARP = 0x0806,
    ETHER_IP6 = 0x86dd,
    IP6_HOP_BY_HOP = 0, /* MLD stands behind a router alert, and nothing else does here */
    IP6_ICMP = 58,
    ICMP6_CONTROL_FROM = 130, /* MLD and neighbour discovery, RFC 2710 and RFC 4861 */
    ICMP6_CONTROL_TO = 137,
    NS_PER_US = 1000
};

bool wire_link_init(struct wire_link *l, const struct wire_config *config)
{
    memset(l, 0, sizeof *l);
    l->config = *config;
    om_prng_seed(&l->prng, config->seed);
    om_list_init(&l->under_way);
    om_list_init(&l->spare);
    l->frames = malloc(WIRE_FRAMES_MAX * sizeof *l->frames);
    return l->frames != NULL;
}

void wire_link_fini(struct wire_link *l)
{
    free(l->frames);
    l->frames = NULL;
}

bool wire_is_control(const uint8_t *frame, size_t len)
{
    unsigned type;

    if (len < ETHER_BYTES)
        return false;
    type = (unsigned)frame[12] << 8 | frame[13];
    if (type != ETHER_IP6 || len <= ETHER_BYTES + IP6_BYTES)
        return type == ETHER_ARP;
    if (frame[ETHER_BYTES + 6] == IP6_HOP_BY_HOP)
        return true;
    return frame[ETHER_BYTES + 6] == IP6_ICMP &&
           frame[ETHER_BYTES + IP6_BYTES] >= ICMP6_CONTROL_FROM &&
           frame[ETHER_BYTES + IP6_BYTES] <= ICMP6_CONTROL_TO;
}

static struct wire_frame *frame_of(struct om_link *link)
{
    return link ? OM_CONTAINER_OF(link, struct wire_frame, link) : NULL;
}

/* A frame to fill, or NULL. */
static struct wire_frame *frame_take(struct wire_link *l)
{
    struct wire_frame *f = frame_of(om_list_first(&l->spare));

    if (f) {
        om_list_remove(&f->link);
    } else if (l->used < WIRE_FRAMES_MAX) {
        f = &l->frames[l->used++];
        f->link = (struct om_link){0};
    }
    return f;
}

/* Says in @at when a frame has left at the rate; false when the queue is full. */
static bool serialise(struct wire_link *l, om_time now, size_t len, om_time *at)
{
    int64_t now_ns = now * NS_PER_US;
    uint64_t rate = l->config.rate, waiting;

    *at = now;
    if (rate == 0)
        return true;
    if (l->free_ns < now_ns)
        l->free_ns = now_ns;
    /* What waits never exceeds the queue by more than a frame, so that this does not overflow. */
    waiting = (uint64_t)((double)(l->free_ns - now_ns) * (double)rate / 8e9);
    if (waiting > 0 && waiting + len > l->config.queue)
        return false;
    l->free_ns += (int64_t)((double)len * 8e9 / (double)rate);
    *at = l->free_ns / NS_PER_US;
    return true;
}

/* Puts @f where its time says, which is the end unless frames may overtake. */
static void insert(struct wire_link *l, struct wire_frame *f)
{
    struct om_link *before = l->under_way.head.prev;

    while (before != &l->under_way.head && frame_of(before)->at > f->at) {
        if (!l->config.may_reorder) {
            f->at = frame_of(before)->at;
            break;
        }
        before = before->prev;
    }
    f->link.prev = before;
    f->link.next = before->next;
    before->next->prev = &f->link;
    before->next = &f->link;
}

bool wire_link_offer(struct wire_link *l, om_time now, const uint8_t *frame, size_t len)
{
    bool is_control = wire_is_control(frame, len), is_lost = false;
    om_time more = 0, at;
    struct wire_frame *f;

    l->counts.offered++;
    l->counts.bytes += len;
    l->counts.control += is_control;
    /* Drawn for every frame, whatever becomes of it: chance is a matter of its number alone. */
    if (!is_control) {
        is_lost = om_prng_chance(&l->prng, l->config.loss);
        if (l->config.jitter > 0)
            more = (om_time)om_prng_below(&l->prng, (uint64_t)l->config.jitter + 1);
    }
    if (!serialise(l, now, len, &at)) {
        l->counts.queue_full++;
        return false;
    }
    if (is_lost) {
        l->counts.lost++;
        return false;
    }
    f = len <= WIRE_FRAME_MAX ? frame_take(l) : NULL;
    if (!f) {
        l->counts.no_room++;
        return false;
    }
    f->at = at + l->config.delay + more;
    f->len = len;
    memcpy(f->bytes, frame, len);
    insert(l, f);
    return true;
}

om_time wire_link_deadline(const struct wire_link *l)
{
    const struct wire_frame *f = frame_of(om_list_first(&l->under_way));

    return f ? f->at : OM_NEVER;
}

struct wire_frame *wire_link_next(const struct wire_link *l, const struct wire_frame *f,
                                  om_time now)
{
    struct wire_frame *next =
        frame_of(f ? om_list_next(&l->under_way, &f->link) : om_list_first(&l->under_way));

    return next && next->at <= now ? next : NULL;
}

void wire_link_pop(struct wire_link *l)
{
    struct wire_frame *f = frame_of(om_list_first(&l->under_way));

    OM_BUG_IF(!f);
    l->counts.control_delivered += wire_is_control(f->bytes, f->len);
    om_list_remove(&f->link);
    om_list_push_front(&l->spare, &f->link);
    l->counts.delivered++;
}
