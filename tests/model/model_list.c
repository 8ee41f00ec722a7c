/* model_list.c - the intrusive list against an array in which elements are shifted. */
#include "harness.h"

#include <omerta/attr.h>
#include <omerta/list.h>

#include "dice.h"

enum { OPS = 100000, ITEMS = 24 };

struct item {
    struct om_link link;
};

struct twin {
    struct item *at[ITEMS];
    unsigned n;
};

static void twin_insert(struct twin *t, unsigned place, struct item *it)
{
    for (unsigned i = t->n; i > place; i--)
        t->at[i] = t->at[i - 1];
    t->at[place] = it;
    t->n++;
}

static void twin_remove(struct twin *t, const struct item *it)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (t->at[i] != it)
            continue;
        t->n--;
        for (; i < t->n; i++)
            t->at[i] = t->at[i + 1];
        return;
    }
}

static void compare(const struct om_list *list, const struct twin *t)
{
    struct om_link *l = om_list_first(list);

    CHECK_EQ(om_list_is_empty(list), t->n == 0);
    for (unsigned i = 0; i < t->n; i++, l = om_list_next(list, l))
        CHECK(l == &t->at[i]->link);
    CHECK(l == NULL);
}

OM_TEST(list_model_matches_an_array)
{
    static struct item items[ITEMS];
    struct twin twin = {.n = 0};
    struct dice d = {11};
    struct om_list list;

    om_list_init(&list);
    for (unsigned op = 0; op < OPS; op++) {
        struct item *it = &items[dice_below(&d, ITEMS)];
        if (om_link_is_linked(&it->link) || dice_below(&d, 8) == 0) {
            om_list_remove(&it->link); /* also one that is in no list: nothing happens */
            twin_remove(&twin, it);
        } else if (dice_below(&d, 2)) {
            om_list_push_back(&list, &it->link);
            twin_insert(&twin, twin.n, it);
        } else {
            om_list_push_front(&list, &it->link);
            twin_insert(&twin, 0, it);
        }
        compare(&list, &twin);
    }
}
