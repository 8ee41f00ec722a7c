/* test_list.c - intrusive list. */
#include "harness.h"

#include <omerta/list.h>

struct item {
    int id;
    struct om_link link;
};

/* The ids in @list as digits of one number, checked against the links backwards. */
static long read_list(const struct om_list *list)
{
    long forward = 0, backward = 0, unit = 1;

    for (struct om_link *l = om_list_first(list); l; l = om_list_next(list, l))
        forward = 10 * forward + OM_CONTAINER_OF(l, struct item, link)->id;
    for (struct om_link *l = list->head.prev; l != &list->head; l = l->prev, unit *= 10)
        backward += unit * OM_CONTAINER_OF(l, struct item, link)->id;
    CHECK_EQ(forward, backward);
    return forward;
}

OM_TEST(list_keeps_its_order)
{
    struct item a = {.id = 1}, b = {.id = 2}, c = {.id = 3}, d = {.id = 4};
    struct om_list list;

    om_list_init(&list);
    CHECK(om_list_is_empty(&list));
    CHECK(om_list_first(&list) == NULL);
    om_list_push_back(&list, &b.link);
    om_list_push_back(&list, &c.link);
    om_list_push_front(&list, &a.link);
    om_list_push_back(&list, &d.link);
    CHECK(!om_list_is_empty(&list));
    CHECK_EQ(read_list(&list), 1234);
    om_list_remove(&b.link);
    CHECK_EQ(read_list(&list), 134);
    om_list_remove(&d.link);
    om_list_remove(&a.link);
    CHECK_EQ(read_list(&list), 3);
    om_list_push_back(&list, &a.link);
    CHECK_EQ(read_list(&list), 31);
    om_list_remove(&c.link);
    om_list_remove(&a.link);
    CHECK(om_list_is_empty(&list));
}

OM_TEST(list_remove_of_an_unlinked_link_does_nothing)
{
    struct item a = {.id = 1}, b = {.id = 2};
    struct om_list list;

    om_list_init(&list);
    om_list_remove(&a.link);
    CHECK(!om_link_is_linked(&a.link));
    om_list_push_back(&list, &a.link);
    om_list_push_back(&list, &b.link);
    CHECK(om_link_is_linked(&a.link));
    om_list_remove(&a.link);
    om_list_remove(&a.link);
    CHECK(!om_link_is_linked(&a.link));
    CHECK_EQ(read_list(&list), 2);
}

OM_TEST(list_pops_from_its_front)
{
    struct item a = {.id = 1}, b = {.id = 2};
    struct om_list list;

    om_list_init(&list);
    CHECK(om_list_pop(&list) == NULL);
    om_list_push_back(&list, &a.link);
    om_list_push_back(&list, &b.link);
    CHECK(om_list_pop(&list) == &a.link);
    CHECK(!om_link_is_linked(&a.link));
    CHECK_EQ(read_list(&list), 2);
    CHECK(om_list_pop(&list) == &b.link);
    CHECK(om_list_is_empty(&list));
}
