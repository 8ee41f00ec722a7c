/* questions.c - a few places, most of them for what others ask. */
#include "questions.h"

#include <omerta/share.h>

struct question *questions_find(const struct questions *q, unsigned number)
{
    for (unsigned i = 0; i < QUESTIONS_MAX && number > 0; i++)
        if (q->of[i]->number == number)
            return q->of[i];
    return NULL;
}

struct question *questions_with(const struct questions *q, const struct om_id *network,
                                const struct om_id *peer)
{
    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        if (q->of[i]->number > 0 && om_id_equal(&q->of[i]->peer, peer) &&
            om_id_equal(&q->of[i]->network, network))
            return q->of[i];
    return NULL;
}

struct question *questions_take(struct questions *q, const struct question *like, unsigned networks)
{
    struct om_shares asked = {0};
    struct question *place = NULL;

    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct question *at = q->of[i];
        if (at->number == 0)
            place = at;
        else if (!at->is_ours)
            om_shares_add(&asked, &at->network);
    }
    if (!place ||
        (!like->is_ours && !om_shares_fit(&asked, &like->network, QUESTIONS_IN_MAX, networks)))
        return NULL;
    *place = *like;
    return place;
}
