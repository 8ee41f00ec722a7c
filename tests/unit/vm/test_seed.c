/* test_seed.c - what a guest is told, and what a value could do to it. */
#include "harness.h"

#include <stdio.h>

#include "json_hook.h"
#include "tests/model/dice.h"
#include "vm/core/seed.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

static struct om_vm_seed sample(void)
{
    return (struct om_vm_seed){
        .instance_id = "vm-7",
        .hostname = "vm7",
        .ssh_key = "ssh-ed25519 AAAA me",
        .host_key_private = "-----BEGIN\nabc\n-----END\n",
        .host_key_public = "ssh-ed25519 BBBB",
        .mac = mac,
        .files = 1,
        .file = {{"/etc/x", {(const uint8_t *)"a\0b\n", 4}, 0600}},
        .commands = 1,
        .command = {"echo hi"},
    };
}

static json_t *read_back(const char *text)
{
    static const char first[] = "#cloud-config\n";

    return json_hook_loads(strncmp(text, first, sizeof first - 1) == 0 ? strchr(text, '\n') : text);
}

static const char *member(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

OM_TEST(seed_says_what_was_asked)
{
    struct om_vm_seed_texts t = {0};
    struct om_vm_seed s = sample();
    json_t *u = NULL, *m = NULL, *n = NULL;

    OM_TRY(om_vm_seed_build(&t, &s, NULL) == OM_OK);
    CHECK(strncmp(t.user_data, "#cloud-config\n{", 15) == 0);
    CHECK_STR(t.meta_data, "{\"instance-id\":\"vm-7\",\"local-hostname\":\"vm7\"}\n");
    OM_TRY((u = read_back(t.user_data)) && (m = read_back(t.meta_data)));
    OM_TRY((n = read_back(t.network_config)) != NULL);
    const json_t *keys = json_object_get(u, "ssh_authorized_keys");
    CHECK_STR(json_string_value(json_array_get(keys, 0)), "ssh-ed25519 AAAA me");
    CHECK(json_is_false(json_object_get(u, "ssh_pwauth")));
    CHECK_STR(member(json_object_get(u, "ssh_keys"), "ed25519_private"), s.host_key_private);
    const json_t *file = json_array_get(json_object_get(u, "write_files"), 0);
    CHECK_STR(member(file, "content"), "YQBiCg==");
    CHECK_STR(member(file, "encoding"), "b64");
    CHECK_STR(member(file, "permissions"), "0600");
    CHECK_STR(json_string_value(json_array_get(json_object_get(u, "runcmd"), 0)), "echo hi");
    const json_t *nic = json_object_get(json_object_get(n, "ethernets"), "nic");
    CHECK_STR(member(json_object_get(nic, "match"), "macaddress"), "02:00:00:00:00:09");
out:
    json_decref(u);
    json_decref(m);
    json_decref(n);
    om_vm_seed_texts_fini(&t);
}

OM_TEST(seed_of_another_user_gives_that_one_the_key)
{
    struct om_vm_seed_texts t = {0};
    struct om_vm_seed s = sample();
    json_t *u = NULL;

    s.user = "debian";
    s.host_key_private = NULL;
    s.files = s.commands = 0;
    OM_TRY(om_vm_seed_build(&t, &s, NULL) == OM_OK);
    OM_TRY((u = read_back(t.user_data)) != NULL);
    const json_t *user = json_array_get(json_object_get(u, "users"), 0);
    CHECK_STR(member(user, "name"), "debian");
    CHECK(!json_object_get(u, "ssh_authorized_keys") && !json_object_get(u, "write_files"));
    CHECK(json_array_size(json_object_get(user, "ssh_authorized_keys")) == 1);
out:
    json_decref(u);
    om_vm_seed_texts_fini(&t);
}

/* Texts made of what YAML, JSON, shells and awk care for: each comes back as it went in, and
 * nothing beside it. */
static bool check_hostile(const char *text)
{
    struct om_vm_seed_texts t = {0};
    struct om_vm_seed s = sample();
    json_t *u = NULL, *m = NULL;
    bool is_read = false;

    s.instance_id = s.ssh_key = s.host_key_private = s.host_key_public = text;
    s.command[0] = text;
    s.file[0].content = om_bytes(text, strlen(text));
    if (om_vm_seed_build(&t, &s, NULL) != OM_OK)
        return false;
    if ((u = read_back(t.user_data)) && (m = read_back(t.meta_data))) {
        CHECK_EQ(json_object_size(u), 10);
        CHECK_EQ(json_object_size(m), 2);
        CHECK_STR(member(m, "instance-id"), text);
        CHECK_STR(member(m, "local-hostname"), "vm7");
        CHECK_EQ(json_array_size(json_object_get(u, "runcmd")), 1);
        CHECK_STR(json_string_value(json_array_get(json_object_get(u, "runcmd"), 0)), text);
        CHECK_EQ(json_array_size(json_object_get(u, "ssh_authorized_keys")), 1);
        CHECK_STR(member(json_object_get(u, "ssh_keys"), "ed25519_private"), text);
        CHECK_STR(member(json_object_get(u, "ssh_keys"), "ed25519_public"), text);
        /* one line behind the first: nothing in a value ends it */
        CHECK(strchr(strchr(t.user_data, '\n') + 1, '\n')[1] == '\0');
        is_read = true;
    }
    json_decref(u);
    json_decref(m);
    om_vm_seed_texts_fini(&t);
    return is_read;
}

OM_TEST(seed_no_value_breaks_out)
{
    static const char *const rows[] = {
        "\"}\nruncmd: [reboot]\n#",
        "a\nssh_pwauth: true",
        "\\\"},\"runcmd\":[\"reboot\"],\"x\":{\"y\":\"",
        "\r\n---\n",
        "'; rm -rf /; $(id) `id` ${x} %s%n &*!|>{}[],#?:-<=%@\\",
        "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85\xef\xbb\xbf\xf0\x9f\x98\x80\x7f\x01\x1b[2J",
        "",
    };
    static const char *const bits[] = {"\"",
                                       "\\",
                                       "\n",
                                       "\r",
                                       "\t",
                                       "'",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       ":",
                                       ",",
                                       "#",
                                       "$",
                                       "`",
                                       "\xc3\xa9",
                                       "\x01",
                                       "a",
                                       "\xf0\x9f\x98\x80",
                                       "- ",
                                       "\\u0022",
                                       "null"};
    struct dice d = {3};
    char text[256];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++)
        OM_TRY(check_hostile(rows[i]));
    for (unsigned i = 0; i < 200; i++) {
        size_t n = 0;
        for (unsigned k = dice_below(&d, 30); k > 0; k--)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                                  bits[dice_below(&d, OM_ARRAY_SIZE(bits))]);
        text[n] = '\0';
        OM_TRY(check_hostile(text));
    }
out:
    return;
}

OM_TEST(seed_of_a_real_guest_is_ascii)
{
    struct om_vm_seed_texts t = {0};
    struct om_vm_seed s = sample();

    s.command[0] = "echo \xc3\xa9\x7f \xe2\x80\xa8";
    OM_TRY(om_vm_seed_build(&t, &s, NULL) == OM_OK);
    for (const char *p = t.user_data; *p; p++)
        CHECK(*p == '\n' || (*p >= ' ' && *p <= 0x7f));
out:
    om_vm_seed_texts_fini(&t);
}

OM_TEST(seed_refuses_what_no_guest_takes)
{
    static const char long_one[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const char *const hosts[] = {"", "-a", "a-", "a.b", "a b", "a\nb", "a\"", long_one};
    static const char *const users[] = {"", "Root", "0a", "a:b", "a b", "-a"};
    static const char *const paths[] = {"", "etc/x", "/etc/", "/a\nb", "/\xff"};
    static uint8_t big[OM_VM_SEED_MAX + 1];
    struct om_vm_seed_texts t = {0};
    struct om_error err = {0};
    struct om_vm_seed s;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(hosts); i++) {
        s = sample();
        s.hostname = hosts[i];
        CHECK_ERR(om_vm_seed_build(&t, &s, &err), OM_E_PARSE);
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(users); i++) {
        s = sample();
        s.user = users[i];
        CHECK_ERR(om_vm_seed_build(&t, &s, &err), OM_E_PARSE);
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(paths); i++) {
        s = sample();
        s.file[0].path = paths[i];
        CHECK_ERR(om_vm_seed_build(&t, &s, &err), OM_E_PARSE);
    }
    s = sample();
    s.command[0] = "\xff";
    CHECK_ERR(om_vm_seed_build(&t, &s, &err), OM_E_PARSE);
    s = sample();
    s.file[0].mode = 010000;
    CHECK_ERR(om_vm_seed_build(&t, &s, &err), OM_E_RANGE);
    s = sample();
    s.file[0].content = om_bytes(big, sizeof big);
    CHECK_ERR(om_vm_seed_build(&t, &s, &err), OM_E_RANGE);
    s.file[0].content.n = OM_VM_SEED_MAX / 4 * 3;
    enum om_err e = om_vm_seed_build(&t, &s, &err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_RANGE);
    CHECK(!t.user_data);
out:
    return;
}
