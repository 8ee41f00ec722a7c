/* trace.c - hash and print events. */
#include "trace.h"

#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include <omerta/text.h>
#include <omerta/wire.h>

enum { ENTRY_MAX = 8 + 1 + 2 * 64 + 4, SHOWN_BYTES = 8, SHOWN_TEXT = 320 };

static const char *const verbs[] = {
    [SIM_TRACE_SEND] = "sends",       [SIM_TRACE_LOSE] = "loses",
    [SIM_TRACE_ARRIVE] = "receives",  [SIM_TRACE_SWALLOW] = "sends into the void",
    [SIM_TRACE_DELIVER] = "delivers", [SIM_TRACE_PONG] = "hears a pong",
    [SIM_TRACE_EVENT] = "notes",      [SIM_TRACE_REMEMBER] = "remembers",
    [SIM_TRACE_TICK] = "ticks",       [SIM_TRACE_DEED] = "is told",
};
static_assert(OM_ARRAY_SIZE(verbs) == SIM_TRACE_KIND_COUNT, "a verb for each kind");

void sim_trace_init(struct sim_trace *t, FILE *out)
{
    *t = (struct sim_trace){.out = out};
}

/* Eight bytes, the first one lowest, whatever the machine. */
static inline uint64_t word_at(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* An odd factor and a shift that can be undone: no two words give the same. */
static inline uint64_t take_in(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio, odd */
    return lane ^ lane >> 32;
}

/* Four words at a time, so that their multiplications overlap; the rest with zeros behind it. */
static void absorb(uint64_t lane[static SIM_TRACE_LANES], const uint8_t *p, size_t n)
{
    enum { BLOCK = 8 * SIM_TRACE_LANES };
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
    uint8_t last[BLOCK] = {0};

    for (; n >= BLOCK; p += BLOCK, n -= BLOCK) {
        a = take_in(a, word_at(p));
        b = take_in(b, word_at(p + 8));
        c = take_in(c, word_at(p + 16));
        d = take_in(d, word_at(p + 24));
    }
    if (n > 0)
        memcpy(last, p, n);
    lane[0] = take_in(a, word_at(last) ^ d);
    lane[1] = take_in(b, word_at(last + 8) ^ lane[0]);
    lane[2] = take_in(c, word_at(last + 16) ^ lane[1]);
    lane[3] = take_in(d, word_at(last + 24) ^ lane[2]);
}

static void print(const struct sim_trace *t, om_time now, enum sim_trace_kind kind,
                  const char *from, const char *to, struct om_bytes bytes)
{
    char at[OM_DURATION_TEXT], start[2 * SHOWN_BYTES + 1], text[SHOWN_TEXT];
    bool is_text = kind == SIM_TRACE_EVENT || kind == SIM_TRACE_DEED;

    fprintf(t->out, "    %11s  %s %s", om_duration_print(now, at, sizeof at), from, verbs[kind]);
    if (is_text) {
        om_text_escape(text, sizeof text, bytes);
        fprintf(t->out, " %s", text);
    } else if (bytes.n > 0) {
        size_t n = bytes.n < SHOWN_BYTES ? bytes.n : SHOWN_BYTES;
        sodium_bin2hex(start, sizeof start, bytes.p, n);
        fprintf(t->out, " %zu bytes %s", bytes.n, start);
    }
    fprintf(t->out, "%s%s\n", *to ? " - " : "", to);
}

void sim_trace_add(struct sim_trace *t, om_time now, enum sim_trace_kind kind, const char *from,
                   const char *to, struct om_bytes bytes)
{
    uint8_t head[ENTRY_MAX];
    struct om_wr w = om_wr(om_mut(head, sizeof head));

    om_wr_u64(&w, (uint64_t)now);
    om_wr_u8(&w, (uint8_t)kind);
    om_wr_copy(&w, from, strnlen(from, 63) + 1);
    om_wr_copy(&w, to, strnlen(to, 63) + 1);
    om_wr_u32(&w, (uint32_t)bytes.n);
    absorb(t->lane, head, om_wr_len(&w));
    if (bytes.n > 0)
        absorb(t->lane, bytes.p, bytes.n);
    t->count++;
    if (t->out)
        print(t, now, kind, from, to, bytes);
}

char *sim_trace_hash(const struct sim_trace *t, char out[static SIM_TRACE_TEXT])
{
    uint8_t hash[SIM_TRACE_HASH], lanes[8 * SIM_TRACE_LANES];
    struct om_wr w = om_wr(om_mut(lanes, sizeof lanes));

    for (unsigned i = 0; i < SIM_TRACE_LANES; i++)
        om_wr_u64(&w, t->lane[i]);
    crypto_generichash(hash, sizeof hash, lanes, sizeof lanes, NULL, 0);
    sodium_bin2hex(out, SIM_TRACE_TEXT, hash, sizeof hash);
    return out;
}
