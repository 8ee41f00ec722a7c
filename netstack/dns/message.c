/* message.c - DNS messages. */
#include "dns/message.h"

#include <string.h>

enum { POINTER = 0xc0, DO_BIT = 0x8000, AT_QUESTION = OM_DNS_HEAD, NEGATIVE_TTL = 5 };
enum { OPTION_ERROR = 15, ERROR_PROHIBITED = 18, ERROR_NETWORK = 23 }; /* RFC 8914 */

enum om_dns_bad om_dns_name_read(struct om_dns_name *out, struct om_rd *r, struct om_bytes whole)
{
    struct om_dns_name name = {.n = 0};
    size_t floor = (size_t)(r->p - whole.p); /* pointers only go below: so there is no loop */
    struct om_rd at = *r;
    bool has_jumped = false;

    for (;;) {
        uint8_t len = om_rd_u8(&at);

        if (at.bad)
            return OM_DNS_BAD_SHORT;
        if ((len & POINTER) == POINTER) {
            size_t to = (size_t)(len & ~POINTER & 0xff) << 8 | om_rd_u8(&at);

            if (at.bad)
                return OM_DNS_BAD_SHORT;
            if (!has_jumped)
                *r = at;
            if (to >= floor || to < OM_DNS_HEAD)
                return OM_DNS_BAD_NAME;
            has_jumped = true;
            floor = to;
            at = om_rd(whole);
            (void)om_rd_take(&at, to);
            continue;
        }
        if (len > OM_DNS_LABEL_MAX || name.n + 1U + len > OM_DNS_NAME_MAX - (len > 0))
            return OM_DNS_BAD_NAME;
        name.b[name.n] = len;
        om_rd_copy(&at, name.b + name.n + 1, len);
        if (at.bad)
            return OM_DNS_BAD_SHORT;
        name.n = (uint8_t)(name.n + 1 + len);
        if (len == 0)
            break;
    }
    if (!has_jumped)
        *r = at;
    *out = name;
    return OM_DNS_BAD_NONE;
}

bool om_dns_name_from(struct om_dns_name *out, const char *text)
{
    struct om_dns_name name = {.n = 0};

    for (;;) {
        size_t len = strcspn(text, ".");

        if (len == 0 || len > OM_DNS_LABEL_MAX || name.n + len + 2 > OM_DNS_NAME_MAX)
            return false;
        name.b[name.n] = (uint8_t)len;
        memcpy(name.b + name.n + 1, text, len);
        name.n = (uint8_t)(name.n + 1 + len);
        if (text[len] == '\0' || text[len + 1] == '\0') /* the dot of the root may be there */
            break;
        text += len + 1;
    }
    name.b[name.n++] = 0;
    *out = name;
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool om_dns_name_same(const struct om_dns_name *a, const struct om_dns_name *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++) { /* a length is below 'A' */
        if (lower(a->b[i]) != lower(b->b[i]))
            return false;
    }
    return true;
}

enum om_dns_bad om_dns_walk_start(struct om_dns_walk *w, struct om_dns_question *question,
                                  struct om_bytes in)
{
    struct om_dns_question q = {0};

    *w = (struct om_dns_walk){.whole = in, .r = om_rd(in), .section = 1};
    q.id = om_rd_u16(&w->r);
    q.flags = om_rd_u16(&w->r);
    for (unsigned i = 0; i < 4; i++)
        w->left[i] = om_rd_u16(&w->r);
    if (w->r.bad)
        return w->bad = OM_DNS_BAD_SHORT;
    if (q.flags & OM_DNS_OPCODE)
        return w->bad = OM_DNS_BAD_KIND;
    if (w->left[0] != 1 || w->left[1] + w->left[2] + w->left[3] > OM_DNS_RECORDS_MAX)
        return w->bad = OM_DNS_BAD_COUNT;
    w->bad = om_dns_name_read(&q.name, &w->r, in);
    q.type = om_rd_u16(&w->r);
    q.klass = om_rd_u16(&w->r);
    if (w->bad == OM_DNS_BAD_NONE && w->r.bad)
        w->bad = OM_DNS_BAD_SHORT;
    if (w->bad == OM_DNS_BAD_NONE)
        *question = q;
    return w->bad;
}

bool om_dns_walk_next(struct om_dns_walk *w, struct om_dns_record *out)
{
    while (w->section < 3 && w->left[w->section] == 0)
        w->section++;
    if (w->bad != OM_DNS_BAD_NONE || w->left[w->section] == 0)
        return false;
    w->left[w->section]--;
    out->section = w->section;
    w->bad = om_dns_name_read(&out->name, &w->r, w->whole);
    if (w->bad != OM_DNS_BAD_NONE)
        return false;
    out->type = om_rd_u16(&w->r);
    out->klass = om_rd_u16(&w->r);
    out->ttl_at = (size_t)(w->r.p - w->whole.p);
    out->ttl = om_rd_u32(&w->r);
    uint16_t n = om_rd_u16(&w->r);
    out->data = om_rd_bytes(&w->r, n);
    if (w->r.bad)
        w->bad = OM_DNS_BAD_SHORT;
    else if (out->type == OM_DNS_OPT && (w->section != 3 || out->name.n != 1))
        w->bad = OM_DNS_BAD_RECORD;
    return w->bad == OM_DNS_BAD_NONE;
}

enum om_dns_bad om_dns_question_parse(struct om_dns_question *out, struct om_bytes in)
{
    struct om_dns_question q;
    struct om_dns_walk w;
    struct om_dns_record rec;
    enum om_dns_bad bad = om_dns_walk_start(&w, &q, in);

    if (bad != OM_DNS_BAD_NONE)
        return bad;
    if (q.flags & OM_DNS_QR)
        return OM_DNS_BAD_KIND;
    if (w.left[1] + w.left[2] > 0)
        return OM_DNS_BAD_COUNT;
    while (om_dns_walk_next(&w, &rec)) {
        if (rec.type != OM_DNS_OPT)
            continue;
        if (q.has_edns)
            return OM_DNS_BAD_RECORD;
        q.has_edns = true;
        q.is_dnssec = (rec.ttl & DO_BIT) != 0;
        q.udp_max = rec.klass;
    }
    if (w.bad == OM_DNS_BAD_NONE)
        *out = q;
    return w.bad;
}

bool om_dns_is_answer(const struct om_dns_question *q, struct om_bytes in)
{
    struct om_dns_question a;
    struct om_dns_walk w;

    return om_dns_walk_start(&w, &a, in) == OM_DNS_BAD_NONE && (a.flags & OM_DNS_QR) &&
           a.id == q->id && a.type == q->type && a.klass == q->klass && a.name.n == q->name.n &&
           memcmp(a.name.b, q->name.b, q->name.n) == 0;
}

enum om_dns_bad om_dns_age(struct om_mut message, uint32_t seconds, uint32_t max)
{
    struct om_dns_question q;
    struct om_dns_walk w;
    struct om_dns_record rec;
    enum om_dns_bad bad = om_dns_walk_start(&w, &q, om_bytes(message.p, message.n));

    if (bad != OM_DNS_BAD_NONE)
        return bad;
    while (om_dns_walk_next(&w, &rec)) {
        uint32_t ttl = rec.ttl > INT32_MAX ? 0 : rec.ttl; /* RFC 2181 section 8 */

        if (rec.type == OM_DNS_OPT)
            continue;
        ttl = ttl > seconds ? ttl - seconds : 0;
        om_store32(message.p + rec.ttl_at, ttl < max ? ttl : max);
    }
    return w.bad;
}

size_t om_dns_room(const struct om_dns_question *q)
{
    if (!q->has_edns || q->udp_max < OM_DNS_UDP_LEAST)
        return OM_DNS_UDP_LEAST;
    return q->udp_max < OM_DNS_UDP_MAX ? q->udp_max : OM_DNS_UDP_MAX;
}

static void write_record_head(struct om_wr *w, uint16_t type, uint32_t ttl, uint16_t n)
{
    om_wr_u16(w, POINTER << 8 | AT_QUESTION);
    om_wr_u16(w, type);
    om_wr_u16(w, OM_DNS_IN);
    om_wr_u32(w, ttl);
    om_wr_u16(w, n);
}

static unsigned write_answers(struct om_wr *w, const struct om_dns_question *q,
                              const struct om_dns_reply *r)
{
    unsigned n = 0;

    if (q->klass != OM_DNS_IN)
        return 0;
    for (unsigned i = 0; i < r->n_addrs; i++) {
        bool is_v4 = om_addr_is_v4(&r->addrs[i]);
        uint16_t type = is_v4 ? OM_DNS_A : OM_DNS_AAAA;

        if (q->type != type && q->type != OM_DNS_ANY)
            continue;
        write_record_head(w, type, r->ttl, is_v4 ? 4 : 16);
        om_wr_copy(w, r->addrs[i].ip + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
        n++;
    }
    if (r->ptr && (q->type == OM_DNS_PTR || q->type == OM_DNS_ANY)) {
        write_record_head(w, OM_DNS_PTR, r->ttl, r->ptr->n);
        om_wr_copy(w, r->ptr->b, r->ptr->n);
        n++;
    }
    return n;
}

static unsigned write_txt(struct om_wr *w, const struct om_dns_question *q,
                          const struct om_dns_reply *r)
{
    size_t n = r->txt ? strlen(r->txt) : 0;

    if (n == 0 || n > UINT8_MAX || q->klass != OM_DNS_IN ||
        (q->type != OM_DNS_TXT && q->type != OM_DNS_ANY))
        return 0;
    write_record_head(w, OM_DNS_TXT, r->ttl, (uint16_t)(n + 1));
    om_wr_u8(w, (uint8_t)n);
    om_wr_copy(w, r->txt, n);
    return 1;
}

/* RFC 2308 section 3: how long "there is none" may be kept. */
static void write_soa(struct om_wr *w, const char *apex)
{
    struct om_dns_name name;

    OM_BUG_IF(!om_dns_name_from(&name, apex));
    om_wr_copy(w, name.b, name.n);
    om_wr_u16(w, OM_DNS_SOA);
    om_wr_u16(w, OM_DNS_IN);
    om_wr_u32(w, NEGATIVE_TTL);
    om_wr_u16(w, (uint16_t)(2U * name.n + 20));
    om_wr_copy(w, name.b, name.n); /* the server */
    om_wr_copy(w, name.b, name.n); /* the mailbox */
    om_wr_u32(w, 1);               /* serial */
    om_wr_u32(w, 3600);            /* refresh, retry, expire: there is no secondary server */
    om_wr_u32(w, 600);
    om_wr_u32(w, 86400);
    om_wr_u32(w, NEGATIVE_TTL);
}

static void write_head(struct om_wr *w, const struct om_dns_question *q, uint16_t flags,
                       unsigned answers, unsigned soas)
{
    om_wr_u16(w, q->id);
    om_wr_u16(w, flags);
    om_wr_u16(w, 1);
    om_wr_u16(w, (uint16_t)answers);
    om_wr_u16(w, (uint16_t)soas);
    om_wr_u16(w, q->has_edns);
    om_wr_copy(w, q->name.b, q->name.n);
    om_wr_u16(w, q->type);
    om_wr_u16(w, q->klass);
}

static void write_opt(struct om_wr *w, const struct om_dns_question *q,
                      const struct om_dns_reply *r)
{
    size_t n = r && r->why ? strlen(r->why) : 0;

    if (!q->has_edns)
        return;
    if (n > OM_DNS_WHY_MAX)
        n = OM_DNS_WHY_MAX;
    om_wr_u8(w, 0);
    om_wr_u16(w, OM_DNS_OPT);
    om_wr_u16(w, OM_DNS_UDP_MAX);
    om_wr_u32(w, q->is_dnssec ? DO_BIT : 0);
    om_wr_u16(w, (uint16_t)(n > 0 ? n + 6 : 0));
    if (n == 0)
        return;
    om_wr_u16(w, OPTION_ERROR);
    om_wr_u16(w, (uint16_t)(n + 2));
    om_wr_u16(w, r->rcode == OM_DNS_REFUSED ? ERROR_PROHIBITED : ERROR_NETWORK);
    om_wr_copy(w, r->why, n);
}

size_t om_dns_question_write(struct om_mut out, const struct om_dns_question *q)
{
    struct om_wr w = om_wr(out);

    write_head(&w, q, q->flags & (OM_DNS_RD | OM_DNS_AD | OM_DNS_CD), 0, 0);
    write_opt(&w, q, NULL);
    return w.bad ? 0 : om_wr_len(&w);
}

size_t om_dns_reply_write(struct om_mut out, const struct om_dns_question *q,
                          const struct om_dns_reply *r)
{
    uint16_t flags = (uint16_t)(OM_DNS_QR | OM_DNS_RA | (q->flags & (OM_DNS_RD | OM_DNS_CD)) |
                                (r->is_ours ? OM_DNS_AA : 0) | (unsigned)r->rcode);
    struct om_wr w = om_wr(out);

    write_head(&w, q, flags, 0, 0);
    unsigned n = write_answers(&w, q, r);
    n += write_txt(&w, q, r);
    bool has_soa = r->is_ours && n == 0;
    if (has_soa)
        write_soa(&w, r->apex);
    write_opt(&w, q, r);
    if (!w.bad && !r->is_cut) {
        struct om_wr head = om_wr(out);

        write_head(&head, q, flags, n, has_soa);
        return om_wr_len(&w);
    }
    w = om_wr(out);
    write_head(&w, q, flags | OM_DNS_TC, 0, 0);
    write_opt(&w, q, NULL);
    return om_wr_len(&w);
}

struct om_bytes om_dns_cut(struct om_mut room, const struct om_dns_question *q,
                           struct om_bytes answer)
{
    struct om_dns_reply cut = {.is_cut = true};

    if (answer.n <= om_dns_room(q))
        return answer;
    cut.rcode = (enum om_dns_rcode)(om_load32(answer.p) & OM_DNS_RCODE);
    return om_bytes(room.p, om_dns_reply_write(room, q, &cut));
}

size_t om_dns_refusal_write(struct om_mut out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_wr w = om_wr(out);
    uint16_t id = om_rd_u16(&r), flags = om_rd_u16(&r);

    if (in.n < OM_DNS_HEAD || (flags & OM_DNS_QR))
        return 0;
    om_wr_u16(&w, id);
    om_wr_u16(&w, (uint16_t)(OM_DNS_QR | (flags & (OM_DNS_OPCODE | OM_DNS_RD)) |
                             (flags & OM_DNS_OPCODE ? OM_DNS_NOTIMP : OM_DNS_FORMERR)));
    om_wr_zero(&w, OM_DNS_HEAD - 4);
    return w.bad ? 0 : om_wr_len(&w);
}
