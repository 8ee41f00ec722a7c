/* vm_pick.c - names before ids before the start of one. */
#include "vm_pick.h"

#include <string.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

const json_t *om_vm_pick(const json_t *list, const char *word, struct om_error *err)
{
    const json_t *row, *found = NULL;
    unsigned count = 0;
    size_t i;

    json_array_foreach(list, i, row) if (word && *word && strcmp(text_of(row, "name"), word) == 0)
    {
        return row;
    }
    json_array_foreach(list, i, row)
    {
        if (word && strncmp(text_of(row, "vm"), word, strlen(word)) != 0)
            continue;
        found = row;
        count++;
    }
    if (count == 1)
        return found;
    (void)om_fail(err, count ? OM_E_RANGE : OM_E_MISSING, "%s",
                  count ? "there are several virtual machines: name one"
                        : "there is no such virtual machine (omerta vm list)");
    return NULL;
}

enum om_exit om_vm_find(struct om_cli *cli, const char *word, json_t **out)
{
    struct om_error err;
    json_t *result;
    enum om_exit e = om_cli_ask(cli, "vm.list", NULL, &result);

    if (e)
        return e;
    const json_t *found = om_vm_pick(json_object_get(result, "vms"), word, &err);
    *out = found ? json_deep_copy(found) : NULL;
    json_decref(result);
    if (*out)
        return OM_EXIT_OK;
    om_out_error(&cli->out, "%s", found ? "out of memory" : err.msg);
    return OM_EXIT_USAGE;
}
