/* punch_profile.c - twelve bytes about a NAT. */
#include "path/punch_profile.h"

enum { HAIRPIN_MASK = 3, PER_ADDRESS = 0x40, POOLED = 0x80 };

void om_punch_profile_of(struct om_punch_profile *out, struct om_nat *n, om_time now)
{
    const struct om_nat_fit *f = om_nat_judge(n, now);

    *out = (struct om_punch_profile){
        .filter = om_nat_filter(n),
        .hairpin = n->hairpin,
        .hops = (uint8_t)om_nat_hops(n),
    };
    if (!f->is_believed)
        return;
    out->class = f->class;
    out->is_pooled = f->is_pooled;
    out->is_per_address = f->is_per_address;
    if (f->class == OM_NAT_STRIDE) {
        out->stride = f->stride;
        out->skip = f->skip;
        out->last = f->last;
    }
    if (f->class == OM_NAT_BLOCK) {
        out->reuse = f->reuse;
        out->first_port = f->first_port;
        out->last_port = f->last_port;
    }
}

void om_punch_profile_encode(struct om_wr *w, const struct om_punch_profile *p)
{
    om_wr_u8(w, (uint8_t)((unsigned)p->class | (unsigned)p->filter << 4 | (unsigned)p->reuse << 6));
    om_wr_u8(w, (uint8_t)((unsigned)p->hairpin | (p->is_per_address ? PER_ADDRESS : 0U) |
                          (p->is_pooled ? POOLED : 0U)));
    om_wr_u8(w, p->style);
    om_wr_u8(w, p->hops);
    om_wr_u8(w, (uint8_t)p->stride);
    om_wr_u8(w, p->skip);
    om_wr_u16(w, p->last);
    om_wr_u16(w, p->first_port);
    om_wr_u16(w, p->last_port);
}

/* Is there such a NAT? Then sums over its ports stay small. */
static bool is_sound(const struct om_punch_profile *p)
{
    if (p->class >= OM_NAT_CLASS_COUNT || p->reuse > OM_NAT_EXCLUSIVE ||
        p->hairpin > OM_HAIRPIN_NO || p->hops > OM_NAT_HOPS_MAX)
        return false;
    if (p->class == OM_NAT_STRIDE)
        return p->stride != 0 && p->stride >= -OM_NAT_STRIDE_MAX &&
               p->stride <= OM_NAT_STRIDE_MAX && p->skip <= OM_NAT_SKIP_MAX && p->last > 0;
    if (p->class == OM_NAT_BLOCK)
        return p->first_port > 0 && p->last_port >= p->first_port;
    return true;
}

enum om_err om_punch_profile_decode(struct om_punch_profile *out, struct om_rd *r)
{
    struct om_punch_profile p = {0};
    uint8_t kind = om_rd_u8(r), flags = om_rd_u8(r);

    p.class = kind & 15;
    p.filter = kind >> 4 & 3;
    p.reuse = kind >> 6;
    p.hairpin = flags & HAIRPIN_MASK;
    p.is_per_address = flags & PER_ADDRESS;
    p.is_pooled = flags & POOLED;
    p.style = om_rd_u8(r);
    p.hops = om_rd_u8(r);
    uint8_t stride = om_rd_u8(r);
    p.stride = stride < 128 ? stride : stride - 256;
    p.skip = om_rd_u8(r);
    p.last = om_rd_u16(r);
    p.first_port = om_rd_u16(r);
    p.last_port = om_rd_u16(r);
    if (r->bad || flags & ~(HAIRPIN_MASK | PER_ADDRESS | POOLED) || !is_sound(&p))
        return OM_E_PARSE;
    *out = p;
    return OM_OK;
}
