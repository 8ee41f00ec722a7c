/* test_order.c - orders there and back, and what is none. */
#include "harness.h"

#include "vm/host/order.h"

static char bytes[OM_VM_ORDER_MAX];

/* Encodes and decodes; NULL for want of memory. */
static json_t *pass(const struct om_vm_order *in, struct om_vm_order *out)
{
    json_t *keep = NULL;
    size_t n = om_vm_order_encode(in, bytes);

    return n > 0 && om_vm_order_decode(out, bytes, n, &keep) == OM_OK ? keep : NULL;
}

OM_TEST(order_round_trips)
{
    struct om_vm_order out = {.op = OM_VM_ORDER_COUNT},
                       in = {.op = OM_VM_ORDER_SPAWN,
                             .id = 77,
                             .argv = {"/bin/x", "a \"b\"\n", "", NULL},
                             .folder = "/tmp",
                             .limits = {1UL << 40, 2, 3, 4, -5},
                             .has_fd = {true, false, true}};

    json_t *keep = pass(&in, &out);
    CHECK(keep != NULL);
    CHECK_EQ(out.op, OM_VM_ORDER_SPAWN);
    CHECK_EQ(out.id, 77);
    CHECK_STR(out.argv[1], "a \"b\"\n");
    CHECK_STR(out.argv[2], "");
    CHECK(out.argv[3] == NULL);
    CHECK(out.log == NULL);
    CHECK_EQ(out.limits.memory_bytes, 1UL << 40);
    CHECK_EQ(out.limits.nice, -5);
    CHECK(out.has_fd[0] && !out.has_fd[1] && out.has_fd[2]);
    json_decref(keep);
    in = (struct om_vm_order){
        .op = OM_VM_ORDER_ADOPT, .id = 1, .who = {5, 1UL << 50, "boot"}, .log = "/log"};
    keep = pass(&in, &out);
    CHECK(keep != NULL);
    CHECK(om_vm_ident_equal(&in.who, &out.who));
    CHECK_STR(out.log, "/log");
    json_decref(keep);
    in = (struct om_vm_order){.op = OM_VM_ORDER_EXIT, .id = 3, .how = {true, 4, 9}};
    keep = pass(&in, &out);
    CHECK(keep != NULL);
    CHECK(out.how.is_known && out.how.code == 4 && out.how.signal == 9);
    json_decref(keep);
    in = (struct om_vm_order){
        .op = OM_VM_ORDER_ANSWER, .id = 3, .error = OM_E_FULL, .text = "no more"};
    keep = pass(&in, &out);
    CHECK(keep != NULL);
    CHECK_ERR(out.error, OM_E_FULL);
    CHECK_STR(out.text, "no more");
    json_decref(keep);
}

OM_TEST(order_of_a_stranger_is_refused)
{
    static const char *const bad[] = {
        "",
        "{",
        "{\"op\":\"signal\"}",
        "{\"op\":\"signal\",\"id\":1,\"signal\":\"KILL\"}",
        "{\"op\":\"signal\",\"id\":1,\"id\":2,\"signal\":9}",
        "{\"op\":\"adopt\",\"id\":1,\"who\":[1,2,\"0123456789012345678901234567890123456\"]}",
        "{\"op\":\"adopt\",\"id\":1,\"who\":[1,-2,\"0\"]}",
        "{\"op\":\"answer\",\"id\":1,\"error\":99,\"text\":\"\",\"who\":[1,2,\"\"]}",
    };
    static const char good[] = "{\"op\":\"signal\",\"id\":1,\"signal\":9}";
    struct om_vm_order o;
    json_t *keep = NULL;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK_ERR(om_vm_order_decode(&o, bad[i], strlen(bad[i]), &keep), OM_E_PARSE);
    CHECK_OK(om_vm_order_decode(&o, good, strlen(good), &keep));
    CHECK_EQ(o.signal, 9);
    json_decref(keep);
}
