/* limits.c - words of provide.set about how much, laid over the limits that there are. */
#include "control/parts.h"
#include "service/vms.h"

static const char *const words[] = {"vms", "cpus", "memory", "disk"};

/* What @scope may have by @was: without what was never set for itself, which follows all. */
static json_t *of_scope(const json_t *was, const char *scope)
{
    const json_t *all = json_object_get(was, "all");
    json_t *now = json_deep_copy(json_object_get(was, scope));

    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        if (json_equal(json_object_get(now, words[i]), json_object_get(all, words[i])))
            (void)json_object_del(now, words[i]);
    return now ? now : json_object();
}

void control_limits(struct control_ask *ask, json_t *set)
{
    static const char *const scopes[] = {"vm", "peer", "network"};
    static const char *const params[] = {"each_vm", "each_peer", "each_network"};
    struct om_error err = {.msg = ""};
    json_t *now = vms_provide(ask->d->vms, NULL, &err);
    const json_t *was = json_object_get(now, "limits");
    json_t *limits = json_object(), *all = json_deep_copy(json_object_get(was, "all"));
    bool is_any = false;

    if (!all)
        all = json_object();
    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++) {
        json_t *value = json_object_get(ask->params, words[i]);
        is_any |= value != NULL;
        (void)json_object_set(all, words[i], value);
    }
    (void)json_object_set_new(limits, "all", all);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(scopes); i++) {
        json_t *one = of_scope(was, scopes[i]);
        json_t *more = json_object_get(ask->params, params[i]);
        is_any |= more != NULL;
        if (more)
            (void)json_object_update(one, more);
        (void)json_object_set_new(limits, scopes[i], one);
    }
    if (is_any)
        (void)json_object_set(set, "limits", limits);
    json_decref(limits);
    json_decref(now);
}
