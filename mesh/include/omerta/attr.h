/*
 * attr.h - compiler attributes and the one way to die of a bug
 *
 * What:  names for the attributes we use, and om_bug() for states that our own code must not reach.
 * Why:   a reader meets OM_MUST and OM_PRINTF in every header; compilers spell them differently.
 * Keeps: om_bug_says_where_and_aborts.
 */
#ifndef OMERTA_ATTR_H
#define OMERTA_ATTR_H

#include <assert.h>
#include <stddef.h>

#define OM_MUST          __attribute__((warn_unused_result))
#define OM_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define OM_UNUSED        __attribute__((unused))
#define OM_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The object of type @type whose member @member is at @ptr. */
#define OM_CONTAINER_OF(ptr, type, member)                                                         \
    ((type *)(void *)(((char *)(ptr)) - offsetof(type, member)))

/**
 * om_bug() - stop the process because our own code broke a rule
 * @file:  source file, from OM_BUG_IF
 * @line:  line in it
 * @what:  the condition that must never hold
 *
 * Never reached by anything a peer can send: hostile input is a counted drop (enum om_drop).
 */
__attribute__((noreturn, cold)) void om_bug(const char *file, int line, const char *what);

#define OM_BUG_IF(cond)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!!(cond), 0))                                                         \
            om_bug(__FILE__, __LINE__, #cond);                                                     \
    } while (0)

#endif
