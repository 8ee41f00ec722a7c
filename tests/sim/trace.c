/* trace.c - hash and print events. */
#include "trace.h"

#include <inttypes.h>
#include <string.h>

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
    crypto_generichash_init(&t->state, NULL, 0, SIM_TRACE_HASH);
    t->count = 0;
    t->out = out;
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
    crypto_generichash_update(&t->state, head, om_wr_len(&w));
    if (bytes.n > 0)
        crypto_generichash_update(&t->state, bytes.p, bytes.n);
    t->count++;
    if (t->out)
        print(t, now, kind, from, to, bytes);
}

char *sim_trace_hash(const struct sim_trace *t, char out[static SIM_TRACE_TEXT])
{
    crypto_generichash_state copy = t->state;
    uint8_t hash[SIM_TRACE_HASH];

    crypto_generichash_final(&copy, hash, sizeof hash);
    sodium_bin2hex(out, SIM_TRACE_TEXT, hash, sizeof hash);
    return out;
}
