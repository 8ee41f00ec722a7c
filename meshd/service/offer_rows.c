/* offer_rows.c - a list of offers, and who gives way. */
#include "service/offer_rows.h"

#include <stdlib.h>

#include "crowd.h"

void offer_rows_init(struct offer_rows *r)
{
    *r = (struct offer_rows){.count = 0};
    om_list_init(&r->list);
}

void offer_rows_fini(struct offer_rows *r)
{
    for (struct om_link *l = om_list_first(&r->list), *next; l; l = next) {
        next = om_list_next(&r->list, l);
        offer_rows_drop(r, OM_CONTAINER_OF(l, struct offer_row, link));
    }
}

struct offer_row *offer_rows_first(const struct offer_rows *r)
{
    struct om_link *l = om_list_first(&r->list);

    return l ? OM_CONTAINER_OF(l, struct offer_row, link) : NULL;
}

struct offer_row *offer_rows_next(const struct offer_rows *r, const struct offer_row *row)
{
    struct om_link *l = om_list_next(&r->list, &row->link);

    return l ? OM_CONTAINER_OF(l, struct offer_row, link) : NULL;
}

struct offer_row *offer_rows_find(const struct offer_rows *r, const struct om_id *network,
                                  const struct om_id *provider)
{
    struct offer_row *row = offer_rows_first(r);

    while (row && !(om_id_equal(&row->provider, provider) && om_id_equal(&row->network, network)))
        row = offer_rows_next(r, row);
    return row;
}

void offer_rows_drop(struct offer_rows *r, struct offer_row *row)
{
    om_list_remove(&row->link);
    r->count--;
    free(row);
}

static struct offer_row *who_gives_way(const struct offer_rows *r)
{
    struct crowd c = {.count = 0};

    for (struct offer_row *row = offer_rows_first(r); row; row = offer_rows_next(r, row))
        crowd_add(&c, &row->network, row);
    return crowd_oldest(&c);
}

struct offer_row *offer_rows_take(struct offer_rows *r, const struct om_id *network,
                                  const struct om_id *provider)
{
    struct offer_row *row = offer_rows_find(r, network, provider);

    if (row) {
        om_list_remove(&row->link);
    } else {
        if (r->count == OFFERS_MAX)
            offer_rows_drop(r, who_gives_way(r));
        row = calloc(1, sizeof *row);
        if (!row)
            return NULL;
        row->network = *network;
        row->provider = *provider;
        r->count++;
    }
    om_list_push_back(&r->list, &row->link);
    return row;
}
