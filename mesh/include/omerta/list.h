/*
 * list.h - intrusive doubly linked list
 *
 * What:  the links live inside the objects; get back to them with OM_CONTAINER_OF.
 * Why:   an object can leave a queue in constant time and joining one cannot run out of memory.
 * Keeps: list_keeps_its_order; list_remove_of_an_unlinked_link_does_nothing;
 *        list_pops_from_its_front.
 *
 * A zeroed link is unlinked. Neither a list nor a linked object may be copied or moved.
 */
#ifndef OMERTA_LIST_H
#define OMERTA_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/attr.h>

struct om_link {
    struct om_link *prev;
    struct om_link *next; /* NULL when unlinked */
};

struct om_list {
    struct om_link head; /* its next is the first link, its prev the last */
};

/** om_list_init() - make @list empty. */
static inline void om_list_init(struct om_list *list)
{
    list->head.prev = list->head.next = &list->head;
}

/** om_list_is_empty() - true when nothing is linked into @list. */
static inline bool om_list_is_empty(const struct om_list *list)
{
    return list->head.next == &list->head;
}

/** om_link_is_linked() - true while @link is in some list. */
static inline bool om_link_is_linked(const struct om_link *link)
{
    return link->next != NULL;
}

/** om_list_push_back() - borrow @link as the last of @list; linking it twice is a bug of ours. */
static inline void om_list_push_back(struct om_list *list, struct om_link *link)
{
    OM_BUG_IF(link->next);
    link->prev = list->head.prev;
    link->next = &list->head;
    list->head.prev->next = link;
    list->head.prev = link;
}

/** om_list_push_front() - borrow @link as the first of @list; linking it twice is a bug of ours. */
static inline void om_list_push_front(struct om_list *list, struct om_link *link)
{
    OM_BUG_IF(link->next);
    link->prev = &list->head;
    link->next = list->head.next;
    list->head.next->prev = link;
    list->head.next = link;
}

/** om_list_remove() - take @link out of the list it is in, if any; it is unlinked then. */
static inline void om_list_remove(struct om_link *link)
{
    if (!link->next)
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = link->next = NULL;
}

/** om_list_first() - the first link of @list, NULL when it is empty. */
static inline struct om_link *om_list_first(const struct om_list *list)
{
    return om_list_is_empty(list) ? NULL : list->head.next;
}

/** om_list_pop() - take the first link out of @list; NULL when it is empty. */
static inline struct om_link *om_list_pop(struct om_list *list)
{
    struct om_link *link = om_list_first(list);

    if (link) {
        list->head.next = link->next;
        link->next->prev = &list->head;
        link->prev = link->next = NULL;
    }
    return link;
}

/** om_list_next() - the link after @link in @list, NULL at the end; ask before removing @link. */
static inline struct om_link *om_list_next(const struct om_list *list, const struct om_link *link)
{
    return link->next == &list->head ? NULL : link->next;
}

#endif
