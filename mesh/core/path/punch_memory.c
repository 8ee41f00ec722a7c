/* punch_memory.c - scores of pairs, halved by the day. */
#include "path/punch_memory.h"

#include <string.h>

enum { KEY = 32, V4_NET = 15 /* bytes of a mapped address that are its /24 */ };

struct scores {
    om_time at;
    int8_t of[OM_PUNCH_STYLES];
};

static void pair_key(uint8_t out[static KEY], const struct om_addr *ours,
                     const struct om_addr *theirs)
{
    om_addr_source(ours, out);
    om_addr_source(theirs, out + 16);
    if (om_addr_is_v4(theirs))
        memset(out + 16 + V4_NET, 0, 16 - V4_NET);
}

/* What is left of @score after @age. */
static int faded(int score, om_time age)
{
    for (om_time halves = age / OM_SEC(OM_PUNCH_MEMORY_HALF_S); halves > 0 && score != 0; halves--)
        score /= 2;
    return score;
}

void om_punch_memory_init(struct om_punch_memory *m, const uint8_t sip[static OM_SIP_KEY])
{
    enum om_err e = om_lru_init(&m->pairs, KEY, sizeof(struct scores), OM_PUNCH_MEMORY_MAX, sip);
    OM_BUG_IF(e != OM_OK);
}

void om_punch_memory_fini(struct om_punch_memory *m)
{
    om_lru_fini(&m->pairs);
}

enum om_punch_style om_punch_memory_style(const struct om_punch_memory *m, om_time now,
                                          const struct om_addr *ours, const struct om_addr *theirs)
{
    uint8_t key[KEY];

    pair_key(key, ours, theirs);
    const struct scores *s = om_lru_peek(&m->pairs, key);
    if (!s)
        return OM_PUNCH_PLAIN;
    return faded(s->of[OM_PUNCH_TURNED], now - s->at) > faded(s->of[OM_PUNCH_PLAIN], now - s->at)
               ? OM_PUNCH_TURNED
               : OM_PUNCH_PLAIN;
}

void om_punch_memory_tell(struct om_punch_memory *m, om_time now, const struct om_addr *ours,
                          const struct om_addr *theirs, enum om_punch_style style, bool worked)
{
    uint8_t key[KEY];

    OM_BUG_IF(style >= OM_PUNCH_STYLES);
    pair_key(key, ours, theirs);
    struct scores *s = om_lru_put(&m->pairs, key, NULL);
    if (!s)
        return;
    for (unsigned i = 0; i < OM_PUNCH_STYLES; i++)
        s->of[i] = (int8_t)faded(s->of[i], now - s->at);
    int score = s->of[style] + (worked ? OM_PUNCH_MEMORY_WIN : -OM_PUNCH_MEMORY_LOSS);
    if (score > OM_PUNCH_MEMORY_TOP)
        score = OM_PUNCH_MEMORY_TOP;
    if (score < -OM_PUNCH_MEMORY_TOP)
        score = -OM_PUNCH_MEMORY_TOP;
    s->of[style] = (int8_t)score;
    s->at = now;
}
