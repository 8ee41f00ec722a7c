/* methods.c - checks and prints of the table in methods_table.c. */
#include "ipc/methods.h"

#include <string.h>

#include "ipc/nearest.h"

const struct om_ipc_method *om_method_find(const char *name)
{
    unsigned n;
    const struct om_ipc_method *table = om_methods(&n);

    for (unsigned i = 0; i < n; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const char *om_param_kind_name(enum om_param_kind kind)
{
    static const char *const names[] = {
        [OM_PARAM_STRING] = "string",   [OM_PARAM_PEER] = "peer",
        [OM_PARAM_NETWORK] = "network", [OM_PARAM_INTEGER] = "integer",
        [OM_PARAM_NUMBER] = "number",   [OM_PARAM_BOOL] = "boolean",
        [OM_PARAM_STRINGS] = "strings", [OM_PARAM_INTEGERS] = "integers",
        [OM_PARAM_OBJECT] = "object",   [OM_PARAM_OBJECTS] = "objects"};

    return names[kind];
}

static bool is_of(const json_t *v, enum om_param_kind kind)
{
    size_t i;
    const json_t *each;

    switch (kind) {
    case OM_PARAM_STRING:
    case OM_PARAM_PEER:
    case OM_PARAM_NETWORK:
        return json_is_string(v);
    case OM_PARAM_INTEGER:
        return json_is_integer(v);
    case OM_PARAM_NUMBER:
        return json_is_number(v);
    case OM_PARAM_BOOL:
        return json_is_boolean(v);
    case OM_PARAM_OBJECT:
        return json_is_object(v);
    case OM_PARAM_STRINGS:
        json_array_foreach(v, i, each) if (!json_is_string(each)) return false;
        return json_is_array(v);
    case OM_PARAM_INTEGERS:
        json_array_foreach(v, i, each) if (!json_is_integer(each)) return false;
        return json_is_array(v);
    case OM_PARAM_OBJECTS:
        return json_is_array(v);
    }
    return false;
}

static const struct om_param *find_param(const struct om_ipc_method *m, const char *name)
{
    for (const struct om_param *p = m->params; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static enum om_err unknown(const struct om_ipc_method *m, const char *name, struct om_error *err)
{
    struct om_nearest near;

    om_nearest_init(&near, name);
    for (const struct om_param *p = m->params; p->name; p++)
        om_nearest_try(&near, p->name);
    if (near.best)
        return om_fail(err, OM_E_PARSE, "%s: unknown parameter \"%.40s\"; did you mean \"%s\"?",
                       m->name, name, near.best);
    return om_fail(err, OM_E_PARSE, "%s: unknown parameter \"%.40s\"%s", m->name, name,
                   m->params[0].name ? "" : ": it takes none");
}

enum om_err om_method_check(const struct om_ipc_method *m, const json_t *params,
                            struct om_error *err)
{
    const char *name;
    const json_t *v;
    json_t *mutable = json_deep_copy(params); /* jansson's iterators know no const */
    enum om_err e = mutable ? OM_OK : om_fail(err, OM_E_NO_MEM, "no memory");

    json_object_foreach(mutable, name, v)
    {
        const struct om_param *p = find_param(m, name);
        if (!p)
            e = unknown(m, name, err);
        else if (!is_of(v, p->kind))
            e = om_fail(err, OM_E_PARSE, "%s: \"%s\": want %s (%s)", m->name, name,
                        om_param_kind_name(p->kind), p->help);
        if (e != OM_OK)
            break;
    }
    json_decref(mutable);
    for (const struct om_param *p = m->params; p->name && e == OM_OK; p++)
        if (p->is_required && !json_object_get(params, p->name))
            e = om_fail(err, OM_E_MISSING, "%s: \"%s\" is missing: want %s (%s)", m->name, p->name,
                        om_param_kind_name(p->kind), p->help);
    return e;
}

static json_t *params_json(const struct om_param *list)
{
    json_t *j = json_array();

    for (; list->name; list++)
        (void)json_array_append_new(j, json_pack("{s:s, s:s, s:b, s:s}", "name", list->name, "kind",
                                                 om_param_kind_name(list->kind), "required",
                                                 (int)list->is_required, "help", list->help));
    return j;
}

json_t *om_methods_json(void)
{
    json_t *j = json_array();
    unsigned n;
    const struct om_ipc_method *m = om_methods(&n);

    for (unsigned i = 0; i < n; i++, m++)
        (void)json_array_append_new(j, json_pack("{s:s, s:s, s:o, s:o}", "name", m->name, "summary",
                                                 m->summary, "params", params_json(m->params),
                                                 "reply", params_json(m->reply)));
    return j;
}

static void print_list(FILE *to, const char *title, const struct om_param *list)
{
    if (!list->name)
        return;
    (void)fprintf(to, ".RS\n%s:\n.RS\n", title);
    for (; list->name; list++)
        (void)fprintf(to, ".TP\n.BR %s \" (%s%s)\"\n%s.\n", list->name,
                      om_param_kind_name(list->kind), list->is_required ? "" : ", optional",
                      list->help);
    (void)fputs(".RE\n.RE\n", to);
}

void om_methods_print_man(FILE *to)
{
    unsigned n;
    const struct om_ipc_method *m = om_methods(&n);

    (void)fputs(".SH METHODS\n", to);
    for (unsigned i = 0; i < n; i++, m++) {
        (void)fprintf(to, ".TP\n.B %s\n%s.\n", m->name, m->summary);
        print_list(to, "Parameters", m->params);
        print_list(to, "Reply", m->reply);
    }
}
