/* test_spec.c - what may be asked for, and how it is refused. */
#include "harness.h"

#include "json_hook.h"
#include "vm/core/spec.h"

#define BODY "AAAAC3NzaC1lZDI1NTE5AAAAIJ0GZ4wkmL2Yq3t0m1rVx8Zc8p2l5o7H3Yx9Vb4nK6dS"

static enum om_err read_text(struct om_vm_spec *s, const char *text, struct om_error *err)
{
    json_t *o = json_loads(text, 0, NULL);

    if (!o)
        return OM_E_NO_MEM;
    enum om_err e = om_vm_spec_read(s, o, err);
    json_decref(o);
    return e;
}

OM_TEST(spec_has_defaults)
{
    struct om_vm_spec s, d;

    om_vm_spec_default(&d);
    OM_TRY(read_text(&s, "{}", NULL) == OM_OK);
    CHECK_MEM(&s, &d, sizeof s);
    CHECK(s.cpus == 1 && s.memory_mib == 256 && s.egress == OM_VM_EGRESS_NONE && s.exposes == 0);
out:
    return;
}

OM_TEST(spec_round_trips)
{
    static const char *const text =
        "{\"cpus\": 4, \"memory\": \"8G\", \"disk\": \"20G\", \"image\": \"mini-python\","
        " \"ttl\": \"2h\", \"timeout\": \"90s\", \"description\": \"one \\\"test\\\", ä\","
        " \"egress\": \"internet\", \"expose\": [8080, 443],"
        " \"ssh_key\": \"ssh-ed25519 " BODY " me@here\"}";
    struct om_vm_spec s, again;
    json_t *o = NULL;

    memset(&again, 0, sizeof again);
    OM_TRY(read_text(&s, text, NULL) == OM_OK);
    CHECK(s.cpus == 4 && s.memory_mib == 8192 && s.disk_mib == 20480 && s.exposes == 2);
    CHECK(s.ttl == OM_SEC(7200) && s.timeout == OM_SEC(90) && s.expose[1] == 443);
    CHECK(s.egress == OM_VM_EGRESS_INTERNET);
    CHECK_STR(s.description, "one \"test\", ä");
    OM_TRY((o = om_vm_spec_write(&s)) != NULL);
    OM_TRY(om_vm_spec_read(&again, o, NULL) == OM_OK);
    CHECK_STR(again.ssh_key, s.ssh_key);
    CHECK_STR(again.image, "mini-python");
    CHECK(again.cpus == s.cpus && again.memory_mib == s.memory_mib && again.ttl == s.ttl);
    CHECK(again.disk_mib == s.disk_mib && again.timeout == s.timeout && again.expose[0] == 8080);
    CHECK(again.egress == s.egress && again.exposes == 2);
out:
    json_decref(o);
}

OM_TEST(spec_bare_numbers_are_mib)
{
    struct om_vm_spec s;

    OM_TRY(read_text(&s, "{\"memory\": \"512\", \"disk\": 100}", NULL) == OM_OK);
    CHECK(s.memory_mib == 512 && s.disk_mib == 100);
out:
    return;
}

OM_TEST(spec_refuses_unknown_members)
{
    struct om_error err = {0};
    struct om_vm_spec s, was;

    memset(&s, 7, sizeof s);
    was = s;
    CHECK(read_text(&s, "{\"gpu\": 1}", &err) != OM_OK);
    CHECK_MEM(&s, &was, sizeof s);
    OM_TRY(err.code != OM_E_NO_MEM && err.code != OM_OK);
    CHECK_STR(err.msg, "spec.gpu: unknown member");
out:
    return;
}

OM_TEST(spec_refuses_each_bad_value)
{
    static const struct {
        const char *text, *start;
    } rows[] = {
        {"{\"cpus\": 0}", "spec.cpus: is 0: want 1 to 64"},
        {"{\"cpus\": 65}", "spec.cpus: is 65"},
        {"{\"memory\": 63}", "spec.memory: is 63 MiB: want 64MiB to 1TiB"},
        {"{\"memory\": -5}", "spec.memory: is a number"},
        {"{\"memory\": \"99999999999999999999G\"}", "spec.memory: "},
        {"{\"disk\": \"17T\"}", "spec.disk: "},
        {"{\"image\": \"../etc\"}", "spec.image: \"../etc\": want a name"},
        {"{\"image\": \"\"}", "spec.image: "},
        {"{\"image\": \"a/b\"}", "spec.image: "},
        {"{\"image\": \"-drive\"}", "spec.image: "},
        {"{\"ttl\": \"9s\"}", "spec.ttl: want 10s to 30d"},
        {"{\"timeout\": \"2h\"}", "spec.timeout: want 1s to 1h"},
        {"{\"egress\": \"all\"}", "spec.egress: is \"all\": want one of none, internet"},
        {"{\"expose\": [0]}", "spec.expose: element 0: want a port"},
        {"{\"expose\": [80, 80]}", "spec.expose: port 80 is there twice"},
        {"{\"expose\": [\"80\"]}", "spec.expose: element 0"},
        {"{\"expose\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}", "spec.expose: has 17"},
        {"{\"ssh_key\": \"rubbish\"}", "spec.ssh_key: want \"ssh-ed25519"},
        {"{\"description\": \"a\\u0007\"}", "spec.description: holds a control character"},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        struct om_error err = {0};
        struct om_vm_spec s;
        enum om_err e = read_text(&s, rows[i].text, &err);
        OM_TRY(e != OM_E_NO_MEM);
        CHECK(e == OM_E_PARSE || e == OM_E_RANGE);
        CHECK(strncmp(err.msg, rows[i].start, strlen(rows[i].start)) == 0);
    }
out:
    return;
}

OM_TEST(spec_keys_are_one_line_of_a_known_type)
{
    static const char *const good[] = {
        "ssh-ed25519 " BODY,
        "ssh-ed25519 " BODY " me@here with spaces",
        "sk-ssh-ed25519@openssh.com " BODY " x",
        "ssh-rsa " BODY BODY BODY BODY BODY "AAA=",
    };
    static const char *const bad[] = {
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519 AAAA",
        "ssh-dss " BODY,
        "command=\"x\" ssh-ed25519 " BODY,
        "ssh-ed25519 " BODY "\nssh-ed25519 " BODY,
        "ssh-ed25519 " BODY "!",
        "ssh-ed25519 " BODY "=",
        "ssh-ed25519  " BODY,
        " ssh-ed25519 " BODY,
        "ssh-ed25519 " BODY " \xff",
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(good); i++)
        CHECK_OK(om_vm_ssh_key_check(good[i], NULL));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        struct om_error err = {0};
        CHECK_ERR(om_vm_ssh_key_check(bad[i], &err), OM_E_PARSE);
        CHECK(err.msg[0] != '\0');
    }
    CHECK(om_vm_name_is_plain("a.b_c-1", 7) && !om_vm_name_is_plain("a.b_c-1", 6));
    CHECK(!om_vm_name_is_plain(".a", 9) && !om_vm_name_is_plain("a,b", 9));
}

OM_TEST(spec_too_large_is_refused)
{
    struct om_vm_limits l = {.most[OM_VM_SCOPE_VM] = {1, 2, 1024, 5000}};
    struct om_error err = {0};
    struct om_vm_spec s;

    om_vm_spec_default(&s);
    CHECK_OK(om_vm_spec_fits(&s, &l, &err));
    s.memory_mib = 1025;
    CHECK_ERR(om_vm_spec_fits(&s, &l, &err), OM_E_RANGE);
    CHECK_STR(err.msg, "memory (MiB): 1025 asked, one VM may have 1024");
}
