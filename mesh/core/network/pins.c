/* pins.c - a list of keys with room for a few more. */
#include "network/pins.h"

static bool has(const struct om_pins *p, const struct om_id *id)
{
    for (unsigned i = 0; i < p->count; i++)
        if (om_id_equal(&p->key[i], id))
            return true;
    return false;
}

bool om_pins_admit(const struct om_pins *p, const struct om_id *id)
{
    return !p->is_on || p->left > 0 || has(p, id);
}

bool om_pins_take(struct om_pins *p, const struct om_id *id)
{
    if (!p->is_on || has(p, id))
        return true;
    if (p->left == 0 || p->count == OM_PINS_MAX)
        return false;
    p->key[p->count++] = *id;
    p->left--;
    return true;
}
