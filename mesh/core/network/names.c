/* names.c - the first one has the name. */
#include "network/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cmp(const void *a, const void *b)
{
    const struct om_name_claim *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    if (c == 0)
        c = (int)y->by_authority - (int)x->by_authority;
    if (c == 0)
        c = (x->issued > y->issued) - (x->issued < y->issued);
    if (c == 0)
        c = om_id_cmp(&x->issuer, &y->issuer);
    return c != 0 ? c : om_id_cmp(&x->key, &y->key);
}

void om_names_sort(struct om_name_claim *all, unsigned n)
{
    if (n > 0)
        qsort(all, n, sizeof *all, cmp);
}

void om_names_shown(const struct om_name_claim *all, unsigned i, struct om_named *out)
{
    char id[OM_ID_TEXT];

    out->key = all[i].key;
    if (i == 0 || strcmp(all[i - 1].name, all[i].name) != 0)
        (void)snprintf(out->name, sizeof out->name, "%s", all[i].name);
    else
        (void)snprintf(out->name, sizeof out->name, "%s-%.*s", all[i].name, (int)OM_NAMED_ID,
                       om_id_print(&all[i].key, id));
}

void om_names_vary(char out[static OM_MEMBER_NAME_MAX + 1], const char *name, unsigned nth)
{
    char behind[16] = "";
    size_t n = strnlen(name, OM_MEMBER_NAME_MAX), room = OM_MEMBER_NAME_MAX;

    if (nth > 1)
        room -= (size_t)snprintf(behind, sizeof behind, "-%u", nth);
    if (n > room)
        n = room;
    while (n > 1 && name[n - 1] == '-' && nth > 1)
        n--;
    (void)snprintf(out, OM_MEMBER_NAME_MAX + 1, "%.*s%s", (int)n, name, behind);
}
