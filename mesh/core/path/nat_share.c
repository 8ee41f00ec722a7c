/* nat_share.c - coincidences among the ports that others see. */
#include "path/nat_share.h"

#include <string.h>

static_assert(OM_SHARE_WITNESSES_MAX <= 8, "one bit of a byte each");

void om_nat_share_init(struct om_nat_share *r, const uint8_t outside[static 16])
{
    *r = (struct om_nat_share){0};
    memcpy(r->outside, outside, sizeof r->outside);
}

/* Who says it: a key or an address that spoke before, else a new one. Return: none when full. */
static unsigned witness_of(struct om_nat_share *r, const struct om_nat_sample *s)
{
    uint8_t source[16];

    om_addr_source(&s->to, source);
    for (unsigned i = 0; i < r->witnesses; i++)
        if (om_id_equal(&r->peers[i], &s->peer) || memcmp(r->sources[i], source, 16) == 0)
            return i;
    if (r->witnesses == OM_SHARE_WITNESSES_MAX)
        return OM_SHARE_WITNESSES_MAX;
    r->peers[r->witnesses] = s->peer;
    memcpy(r->sources[r->witnesses], source, sizeof source);
    return r->witnesses++;
}

bool om_nat_share_word(struct om_nat_share *r, const struct om_nat_sample *s)
{
    if (r->count == OM_SHARE_WORDS_MAX || s->seen.port == 0 ||
        memcmp(s->seen.ip, r->outside, sizeof r->outside) != 0)
        return false;
    unsigned who = witness_of(r, s);
    if (who == OM_SHARE_WITNESSES_MAX)
        return false;
    for (unsigned i = 0; i < r->count; i++)
        if (r->words[i].witness == who && r->words[i].socket == s->local.port &&
            r->words[i].to == s->to.port)
            return false;
    r->words[r->count++] =
        (struct om_share_word){(uint8_t)who, s->local.port, s->to.port, s->seen.port};
    return true;
}

unsigned om_nat_share_flows(unsigned width)
{
    return width / 4 < OM_SHARE_WORDS_MAX ? width / 4 : OM_SHARE_WORDS_MAX;
}

enum om_nat_reuse om_nat_share_judge(const struct om_nat_share *r, unsigned width)
{
    unsigned pairs = 0;
    uint8_t always = UINT8_MAX; /* witnesses that are in every coincidence */

    for (unsigned i = 0; i < r->count; i++) {
        for (unsigned k = 0; k < i; k++) {
            const struct om_share_word *a = &r->words[i], *b = &r->words[k];
            /* One socket may have one port for many destinations without sharing it. */
            if (a->witness == b->witness || a->socket == b->socket)
                continue;
            pairs++;
            if (a->seen == b->seen)
                always &= (uint8_t)(1U << a->witness | 1U << b->witness);
        }
    }
    if (always == 0)
        return OM_NAT_REUSED;
    if (always == UINT8_MAX && pairs / width >= OM_NAT_REUSE_EXPECTED)
        return OM_NAT_EXCLUSIVE;
    return OM_NAT_REUSE_UNKNOWN;
}

bool om_nat_share_range(const struct om_nat_share *r, uint16_t *first, uint16_t *last)
{
    uint16_t low[2] = {UINT16_MAX, UINT16_MAX}, high[2] = {0, 0}; /* the second ones count */

    for (unsigned who = 0; who < r->witnesses; who++) {
        uint16_t least = UINT16_MAX, most = 0;
        for (unsigned i = 0; i < r->count; i++) {
            if (r->words[i].witness != who)
                continue;
            least = r->words[i].seen < least ? r->words[i].seen : least;
            most = r->words[i].seen > most ? r->words[i].seen : most;
        }
        if (most == 0)
            continue;
        low[1] = least < low[0] ? low[0] : least < low[1] ? least : low[1];
        low[0] = least < low[0] ? least : low[0];
        high[1] = most > high[0] ? high[0] : most > high[1] ? most : high[1];
        high[0] = most > high[0] ? most : high[0];
    }
    if (high[1] == 0 || low[1] > high[1])
        return false;
    *first = low[1];
    *last = high[1];
    return true;
}
