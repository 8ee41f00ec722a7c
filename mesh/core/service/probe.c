/* probe.c - tokens out, echoes in, and what the difference says. */
#include "service/probe.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

enum { KIND_PROBE = 1, KIND_ECHO = 2 };

static_assert(OM_PROBE_SIZE == 1 + 8 + 4 + 4, "diagram and code disagree");

struct probe_frame {
    uint8_t kind;
    uint64_t token;
    uint32_t sequence, count;
};

static bool decode(struct probe_frame *f, struct om_bytes in)
{
    struct om_rd r = om_rd(in);

    f->kind = om_rd_u8(&r);
    f->token = om_rd_u64(&r);
    f->sequence = om_rd_u32(&r);
    f->count = om_rd_u32(&r);
    return om_rd_done(&r);
}

static void encode(uint8_t out[static OM_PROBE_SIZE], const struct probe_frame *f)
{
    struct om_wr w = om_wr(om_mut(out, OM_PROBE_SIZE));

    om_wr_u8(&w, f->kind);
    om_wr_u64(&w, f->token);
    om_wr_u32(&w, f->sequence);
    om_wr_u32(&w, f->count);
}

enum om_err om_probe_start(struct om_probe *p, om_time now, const struct om_rng *rng,
                           unsigned count, om_time pace)
{
    if (count > OM_PROBE_MAX || (pace != 0 && pace < OM_MS(OM_PROBE_PACE_MS)))
        return OM_E_RANGE;
    *p = (struct om_probe){.rng = *rng,
                           .wanted = count ? count : OM_PROBE_COUNT,
                           .pace = pace ? pace : OM_MS(OM_PROBE_PACE_MS),
                           .next_at = now,
                           .end = OM_NEVER};
    return OM_OK;
}

bool om_probe_next(struct om_probe *p, om_time now, uint8_t out[static OM_PROBE_SIZE])
{
    if (p->sent == p->wanted || p->is_done || now < p->next_at)
        return false;
    struct om_probe_shot *s = &p->shots[p->sent];
    struct probe_frame f = {.kind = KIND_PROBE, .sequence = p->sent};
    uint8_t token[8];
    om_rng_fill(&p->rng, token, sizeof token);
    struct om_rd r = om_rd(om_bytes(token, sizeof token)); /* the same on every byte order */
    f.token = om_rd_u64(&r);
    *s = (struct om_probe_shot){f.token, now, OM_NEVER};
    encode(out, &f);
    p->next_at = now + p->pace; /* late is late: never two at once */
    if (++p->sent == p->wanted)
        p->end = now + OM_MS(OM_PROBE_WAIT_MS);
    return true;
}

void om_probe_input(struct om_probe *p, om_time now, struct om_bytes in)
{
    struct probe_frame f;

    if (p->is_done)
        return; /* too late, which is as good as lost */
    if (!decode(&f, in) || f.kind != KIND_ECHO || f.sequence >= p->sent ||
        f.token != p->shots[f.sequence].token) {
        p->lies++;
        return;
    }
    struct om_probe_shot *s = &p->shots[f.sequence];
    if (s->rtt != OM_NEVER) {
        p->copies++;
        return;
    }
    s->rtt = now > s->sent ? now - s->sent : 0;
    p->echoed++;
    if (f.count == 0 || f.count > p->sent)
        p->lies++; /* the echo is real all the same: it has the token */
    else if (f.count > p->there)
        p->there = f.count;
    if (p->echoed == p->wanted)
        p->is_done = true;
}

void om_probe_tick(struct om_probe *p, om_time now)
{
    if (now >= p->end)
        p->is_done = true;
}

om_time om_probe_deadline(const struct om_probe *p)
{
    if (p->is_done)
        return OM_NEVER;
    return p->sent < p->wanted ? p->next_at : p->end;
}

static int by_time(const void *a, const void *b)
{
    om_time x = *(const om_time *)a, y = *(const om_time *)b;

    return (x > y) - (x < y);
}

void om_probe_result(const struct om_probe *p, struct om_health_result *out)
{
    om_time rtt[OM_PROBE_MAX], sum = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < p->sent; i++)
        if (p->shots[i].rtt != OM_NEVER)
            sum += rtt[n++] = p->shots[i].rtt;
    qsort(rtt, n, sizeof rtt[0], by_time);
    *out = (struct om_health_result){.sent = p->sent,
                                     .echoed = n,
                                     .lies = p->lies,
                                     .copies = p->copies,
                                     .rtt_min = OM_NEVER,
                                     .rtt_avg = OM_NEVER,
                                     .rtt_max = OM_NEVER,
                                     .rtt_p95 = OM_NEVER};
    /* Whatever was echoed was there; what was not sent was not. */
    unsigned there = p->there > n ? p->there : n;
    out->lost_there = p->sent - there;
    out->lost_back = there - n;
    if (n == 0)
        return;
    out->rtt_min = rtt[0];
    out->rtt_avg = sum / n;
    out->rtt_max = rtt[n - 1];
    out->rtt_p95 = rtt[(n * 95 + 99) / 100 - 1]; /* nearest rank */
}

void om_probe_echo_init(struct om_probe_echo *e, om_time now)
{
    *e = (struct om_probe_echo){.count = 0};
    om_bucket_init(&e->bucket, OM_PROBE_ECHOES_PER_S, OM_PROBE_ECHOES_PER_S, now);
}

bool om_probe_is_probe(struct om_bytes in)
{
    struct probe_frame f;

    return decode(&f, in) && f.kind == KIND_PROBE;
}

bool om_probe_echo(struct om_probe_echo *e, om_time now, struct om_bytes in,
                   uint8_t out[static OM_PROBE_SIZE])
{
    struct probe_frame f;

    if (!decode(&f, in) || f.kind != KIND_PROBE)
        return false;
    if (f.sequence == 0 && f.token != e->first) {
        e->first = f.token;
        e->count = 0;
    }
    e->count += e->count < UINT32_MAX;
    if (!om_bucket_take(&e->bucket, now, 1))
        return false;
    f.kind = KIND_ECHO;
    f.count = e->count;
    encode(out, &f);
    return true;
}
