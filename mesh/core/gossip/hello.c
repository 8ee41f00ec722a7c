/* hello.c - groups, bodies, pace and judgement of LAN hellos. */
#include "gossip/hello.h"

#include <string.h>

#include <omerta/wire.h>

/* What is remembered of a key. */
struct heard {
    uint64_t time_ms;
    om_time acted; /* valid if has_acted */
    bool has_acted;
};

struct om_addr om_hello_group(const struct om_epoch *epoch, bool v6)
{
    struct om_rd r = om_rd(om_bytes(epoch->lan, sizeof epoch->lan));
    uint32_t low = (uint32_t)om_rd_uint(&r, 3), id = om_rd_u32(&r);
    uint16_t port = (uint16_t)(OM_HELLO_PORT + (om_rd_u16(&r) & 0x3fff));
    struct om_addr a = om_addr_v4(UINT32_C(239) << 24 | low, port);

    if (v6) {
        memset(a.ip, 0, sizeof a.ip);
        a.ip[0] = 0xff;
        a.ip[1] = 0x02;
        om_store32(a.ip + 12, id | UINT32_C(0x80000000));
    }
    return a;
}

size_t om_hello_encode(const struct om_hello *h, const struct om_identity *self,
                       const struct om_id *network, uint8_t out[static OM_HELLO_BODY_MAX])
{
    struct om_wr w = om_wr(om_mut(out, OM_HELLO_BODY_MAX));

    OM_BUG_IF(h->count > OM_HELLO_ADDRS_MAX);
    om_wr_copy(&w, self->id.b, sizeof self->id.b);
    om_wr_u48(&w, h->time_ms);
    om_wr_u8(&w, (uint8_t)h->count);
    for (unsigned i = 0; i < h->count; i++)
        om_addr_write(&w, &h->addrs[i]);
    size_t body = om_wr_len(&w);
    uint8_t *sig = om_wr_room(&w, OM_SIGN_BYTES);
    OM_BUG_IF(!sig);
    om_identity_sign(self, "hello", network, om_bytes(out, body), sig);
    return om_wr_len(&w);
}

enum om_err om_hello_decode(struct om_hello *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_hello h = {.count = 0};

    om_rd_copy(&r, h.id.b, sizeof h.id.b);
    h.time_ms = om_rd_u48(&r);
    unsigned count = om_rd_u8(&r);
    if (count > OM_HELLO_ADDRS_MAX)
        return OM_E_PARSE;
    while (h.count < count)
        h.addrs[h.count++] = om_addr_read(&r);
    om_rd_take(&r, OM_SIGN_BYTES);
    if (!om_rd_done(&r))
        return OM_E_PARSE;
    *out = h;
    return OM_OK;
}

void om_hello_pace_start(struct om_hello_pace *p, om_time now)
{
    p->quick = OM_HELLO_QUICK;
    p->next = now;
}

void om_hello_pace_stop(struct om_hello_pace *p)
{
    p->quick = 0;
    p->next = OM_NEVER;
}

bool om_hello_pace_due(struct om_hello_pace *p, om_time now)
{
    if (now < p->next)
        return false;
    if (p->quick > 0)
        p->quick--;
    p->next = now + OM_SEC(p->quick > 0 ? OM_HELLO_QUICK_S : OM_HELLO_EVERY_S);
    return true;
}

void om_hello_budget_init(struct om_hello_budget *b, om_time now)
{
    om_bucket_init(&b->starts, OM_HELLO_STARTS_PER_S, OM_HELLO_STARTS_PER_S, now);
    om_bucket_init(&b->checks, OM_HELLO_CHECKS_PER_S, OM_HELLO_CHECKS_PER_S, now);
}

enum om_err om_hello_ear_init(struct om_hello_ear *e, const uint8_t sip_key[static OM_SIP_KEY])
{
    return om_lru_init(&e->heard, OM_ID_BYTES, sizeof(struct heard), OM_HELLO_KEYS_MAX, sip_key);
}

void om_hello_ear_fini(struct om_hello_ear *e)
{
    om_lru_fini(&e->heard);
}

static bool is_signed_source(const struct om_hello *h, const struct om_addr *source)
{
    for (unsigned i = 0; i < h->count; i++)
        if (om_addr_equal(&h->addrs[i], source))
            return true;
    return false;
}

static bool is_genuine(const struct om_hello *h, const struct om_hello_heard *in)
{
    size_t body = in->body.n - OM_SIGN_BYTES;

    return om_identity_verify(&h->id, "hello", in->network, om_bytes(in->body.p, body),
                              in->body.p + body);
}

/* The cheap questions come first, and nothing is remembered of what was not signed. */
enum om_hello_verdict om_hello_judge(struct om_hello_ear *e, struct om_hello_budget *b, om_time now,
                                     const struct om_hello_heard *in, struct om_hello *out)
{
    struct heard *k;

    if (om_hello_decode(out, in->body) != OM_OK)
        return OM_HELLO_FORM;
    if (om_id_equal(&out->id, in->self))
        return OM_HELLO_OWN;
    if (!is_signed_source(out, &in->source))
        return OM_HELLO_SOURCE;
    k = om_lru_peek(&e->heard, &out->id);
    if (k && out->time_ms <= k->time_ms)
        return OM_HELLO_OLD;
    if (!om_bucket_take(&b->checks, now, 1))
        return OM_HELLO_RATE;
    if (!is_genuine(out, in))
        return OM_HELLO_FORGED;
    k = om_lru_put(&e->heard, &out->id, NULL);
    if (!k)
        return OM_HELLO_NO_MEM;
    k->time_ms = out->time_ms;
    return OM_HELLO_GOOD;
}

bool om_hello_may_act(struct om_hello_ear *e, struct om_hello_budget *b, om_time now,
                      const struct om_id *id)
{
    struct heard *k = om_lru_peek(&e->heard, id);

    if (!k || (k->has_acted && now - k->acted < OM_SEC(OM_HELLO_KEY_S)))
        return false;
    if (!om_bucket_take(&b->starts, now, 1))
        return false;
    k->acted = now;
    k->has_acted = true;
    return true;
}
