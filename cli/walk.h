/*
 * walk.h - every value below a JSON value, in order, each with its depth
 *
 * What:  an iterator over objects and arrays that goes down by itself.
 * Why:   showing and stripping what the daemon answers needs the same walk, and no depth that the
 *        answer chooses may use up our stack.
 * Keeps: walk_sees_every_value_in_order; walk_goes_no_deeper_than_it_says.
 *
 * Full: what lies deeper than OM_WALK_DEPTH_MAX is not looked into.
 */
#ifndef OM_CLI_WALK_H
#define OM_CLI_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum { OM_WALK_DEPTH_MAX = 16 };

struct om_walk {
    struct {
        json_t *of;    /* object or array */
        void *at;      /* of an object: its iterator */
        size_t number; /* of an array */
    } levels[OM_WALK_DEPTH_MAX];
    unsigned depth; /* levels in use */
};

struct om_step {
    json_t *parent, *value;
    const char *key; /* NULL in an array */
    unsigned depth;  /* 0: directly below the root */
};

/** om_walk_init() - @w begins above the values of @root, an object or array that outlives it. */
void om_walk_init(struct om_walk *w, json_t *root);

/**
 * om_walk_next() - the next value
 * @w:     moves on; down into @out's value, when that is an object or array
 * @out:   filled; its value may be replaced by om_walk_replace() only
 *
 * Return: false: all were seen.
 */
bool om_walk_next(struct om_walk *w, struct om_step *out);

/** om_walk_replace() - @value, which is taken, comes in place of @step's; @w stays out of it. */
void om_walk_replace(struct om_walk *w, const struct om_step *step, json_t *value);

#endif
