/* test_cli_vm_pick.c - which machine a word means. */
#include "harness.h"
#include "vm_pick.h"

static json_t *machines(void)
{
    return json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s}]", "vm", "vm-00aa00aa00", "name", "lab1", "vm",
                     "vm-00bb00bb00", "name", "", "vm", "vm-11cc11cc11");
}

static const char *picked(const json_t *list, const char *word, struct om_error *err)
{
    return json_string_value(json_object_get(om_vm_pick(list, word, err), "vm"));
}

OM_TEST(cli_vm_pick_by_name_id_and_start)
{
    json_t *list = machines();
    struct om_error err;

    CHECK(list != NULL);
    CHECK_STR(picked(list, "lab1", &err), "vm-00aa00aa00");
    CHECK_STR(picked(list, "vm-00bb00bb00", &err), "vm-00bb00bb00");
    CHECK_STR(picked(list, "vm-1", &err), "vm-11cc11cc11");
    json_decref(list);
    list = json_pack("[{s:s}]", "vm", "vm-11cc11cc11");
    CHECK_STR(picked(list, NULL, &err), "vm-11cc11cc11");
    json_decref(list);
}

OM_TEST(cli_vm_pick_several_are_none)
{
    json_t *list = machines();
    struct om_error err;

    CHECK(!om_vm_pick(list, "vm-00", &err));
    CHECK_ERR(err.code, OM_E_RANGE);
    CHECK(!om_vm_pick(list, NULL, &err));
    CHECK_ERR(err.code, OM_E_RANGE);
    CHECK(!om_vm_pick(list, "lab", &err));
    CHECK_ERR(err.code, OM_E_MISSING);
    CHECK(!om_vm_pick(NULL, NULL, &err));
    CHECK_ERR(err.code, OM_E_MISSING);
    json_decref(list);
}
