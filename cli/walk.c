/* walk.c - a stack of open objects and arrays. */
#include "walk.h"

static void enter(struct om_walk *w, json_t *of)
{
    if (w->depth == OM_WALK_DEPTH_MAX || (!json_is_object(of) && !json_is_array(of)))
        return;
    w->levels[w->depth].of = of;
    w->levels[w->depth].at = json_object_iter(of);
    w->levels[w->depth++].number = 0;
}

void om_walk_init(struct om_walk *w, json_t *root)
{
    w->depth = 0;
    enter(w, root);
}

bool om_walk_next(struct om_walk *w, struct om_step *out)
{
    while (w->depth) {
        unsigned top = w->depth - 1;

        out->parent = w->levels[top].of;
        out->depth = top;
        out->key = NULL;
        out->value = NULL;
        if (json_is_array(out->parent)) {
            out->value = json_array_get(out->parent, w->levels[top].number++);
        } else if (w->levels[top].at) {
            out->key = json_object_iter_key(w->levels[top].at);
            out->value = json_object_iter_value(w->levels[top].at);
            w->levels[top].at = json_object_iter_next(out->parent, w->levels[top].at);
        }
        if (out->value) {
            enter(w, out->value);
            return true;
        }
        w->depth--;
    }
    return false;
}

void om_walk_replace(struct om_walk *w, const struct om_step *step, json_t *value)
{
    w->depth = step->depth + 1;
    if (step->key)
        json_object_set_new(step->parent, step->key, value);
    else
        json_array_set_new(step->parent, w->levels[step->depth].number - 1, value);
}
