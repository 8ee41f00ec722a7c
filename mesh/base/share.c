/* share.c - rows by network, and what is left for the others. */
#include <omerta/share.h>

/* The place of @network; where it has none a free one; OM_SHARES_NETWORKS without. */
static unsigned place(const struct om_shares *s, const struct om_id *network)
{
    unsigned is_free = OM_SHARES_NETWORKS;

    for (unsigned i = 0; i < OM_SHARES_NETWORKS; i++) {
        if (s->of[i].rows > 0 && om_id_equal(&s->of[i].network, network))
            return i;
        if (s->of[i].rows == 0 && is_free == OM_SHARES_NETWORKS)
            is_free = i;
    }
    return is_free;
}

void om_shares_add(struct om_shares *s, const struct om_id *network)
{
    unsigned i = place(s, network);

    s->rows++;
    if (i == OM_SHARES_NETWORKS)
        return;
    s->of[i].network = *network;
    s->of[i].rows++;
}

void om_shares_drop(struct om_shares *s, const struct om_id *network)
{
    unsigned i = place(s, network);

    s->rows--;
    if (i < OM_SHARES_NETWORKS && s->of[i].rows > 0)
        s->of[i].rows--;
}

bool om_shares_fit(const struct om_shares *s, const struct om_id *network, unsigned max,
                   unsigned networks)
{
    const unsigned share = max < OM_SHARES_NETWORKS ? 1 : max / OM_SHARES_NETWORKS;
    const unsigned at = place(s, network);
    const unsigned own = at < OM_SHARES_NETWORKS ? s->of[at].rows : 0;
    unsigned unseen = networks > 0 ? networks - 1 : 0, kept = 0;

    if (s->rows >= max || own < share)
        return s->rows < max;
    for (unsigned i = 0; i < OM_SHARES_NETWORKS; i++) {
        if (i == at || s->of[i].rows == 0)
            continue;
        if (unseen > 0)
            unseen--;
        if (s->of[i].rows < share)
            kept += share - s->of[i].rows;
    }
    return s->rows + kept + unseen * share < max;
}
