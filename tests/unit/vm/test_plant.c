/* test_plant.c - what is put into a guest that has no agent, and what a name could do to it. */
#include "harness.h"

#include <stdio.h>

#include "json_hook.h"
#include "vm/core/base64.h"
#include "vm/core/plant.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
static const char program[] = "#!/bin/sh\necho $NAME\n";

static struct om_vm_image cloud(bool has_agent)
{
    struct om_vm_image i = {.name = "debian-12", .agent = has_agent};

    if (has_agent) {
        i.files = 1;
        (void)snprintf(i.file[0].name, sizeof i.file[0].name, OM_VM_PLANT_FILE);
        i.languages = 2;
        (void)snprintf(i.language[0], sizeof i.language[0], "sh");
        (void)snprintf(i.language[1], sizeof i.language[1], "python");
    }
    return i;
}

OM_TEST(plant_starts_the_agent_at_each_boot)
{
    struct om_vm_image i = cloud(true), mini = {.name = "mini", .agent = 1};
    struct om_vm_seed seed = {.files = 0};
    char words[OM_VM_PLANT_TEXT];

    CHECK(om_vm_plant_wanted(&i) && !om_vm_plant_wanted(&mini));
    CHECK_ERR(om_vm_plant(&seed, &i, om_bytes(program, strlen(program)), words), OM_OK);
    CHECK_EQ(seed.files, 3);
    CHECK_STR(words, "NAME=debian-12\nLANGUAGES=sh,python\n");
    CHECK_STR(seed.file[0].path, "/etc/omerta/image");
    CHECK(seed.file[0].content.p == (const uint8_t *)words);
    CHECK(seed.file[1].content.p == (const uint8_t *)program);
    CHECK_STR(seed.file[2].path, "/var/lib/cloud/scripts/per-boot/omerta");
    CHECK_EQ(seed.file[2].mode, 0755);
    const char *starter = (const char *)seed.file[2].content.p;
    CHECK(strstr(starter, seed.file[1].path) && strstr(starter, "setsid "));
}

OM_TEST(plant_without_an_agent_says_hello)
{
    struct om_vm_image i = cloud(false);
    struct om_vm_seed seed = {.files = 0};
    char words[OM_VM_PLANT_TEXT];

    CHECK(om_vm_plant_wanted(&i));
    CHECK_ERR(om_vm_plant(&seed, &i, om_bytes(NULL, 0), words), OM_OK);
    CHECK_EQ(seed.files, 1);
    CHECK_STR(seed.file[0].path, "/var/lib/cloud/scripts/per-boot/omerta");
    CHECK(strstr((const char *)seed.file[0].content.p, "'hello - 1 none - -'"));
}

/* The name goes into a file that a shell reads: what could be more than a word is refused. */
OM_TEST(plant_takes_words_only)
{
    static const char *const hostile[] = {"a b", "a\nb", "$(id)", "`id`", "a;b", "a'b",
                                          "..",  "a\"b", "-a",    "",     "a&",  "\xc3\xa9"};
    struct om_vm_seed seed = {.files = 0};
    char words[OM_VM_PLANT_TEXT];

    for (size_t k = 0; k < OM_ARRAY_SIZE(hostile); k++) {
        struct om_vm_image i = cloud(true);
        (void)snprintf(i.name, sizeof i.name, "%s", hostile[k]);
        CHECK_ERR(om_vm_plant(&seed, &i, om_bytes(program, 5), words), OM_E_PARSE);
        i = cloud(true);
        (void)snprintf(i.language[1], sizeof i.language[1], "%s", hostile[k]);
        CHECK_ERR(om_vm_plant(&seed, &i, om_bytes(program, 5), words), OM_E_PARSE);
        CHECK_EQ(seed.files, 0);
    }
    struct om_vm_image fine = cloud(true);
    CHECK_ERR(om_vm_plant(&seed, &fine, om_bytes(program, 5), words), OM_OK);
}

OM_TEST(plant_fits_into_a_seed)
{
    struct om_vm_image i = cloud(true);
    struct om_vm_seed seed = {.instance_id = "vm-7", .hostname = "vm7", .mac = mac};
    struct om_vm_seed_texts t = {0};
    char words[OM_VM_PLANT_TEXT];
    json_t *u = NULL;

    /* The longest words there can be. */
    memset(i.name, 'n', sizeof i.name - 1);
    i.languages = OM_VM_IMAGE_LANGUAGES;
    for (unsigned k = 0; k < i.languages; k++)
        memset(i.language[k], 'l', sizeof i.language[k] - 1);
    CHECK_ERR(om_vm_plant(&seed, &i, om_bytes(program, strlen(program)), words), OM_OK);
    CHECK(strlen(words) < sizeof words - 1 && words[strlen(words) - 1] == '\n');
    OM_TRY(om_vm_seed_build(&t, &seed, NULL) == OM_OK);
    OM_TRY((u = json_hook_loads(strchr(t.user_data, '\n'))) != NULL);
    const json_t *files = json_object_get(u, "write_files");
    CHECK_EQ(json_array_size(files), 3);
    CHECK_STR(json_string_value(json_object_get(json_array_get(files, 1), "path")),
              "/usr/local/lib/omerta/agent");
    /* Full: all of them or none. */
    seed.files = OM_VM_SEED_FILES - 2;
    CHECK_ERR(om_vm_plant(&seed, &i, om_bytes(program, 5), words), OM_E_FULL);
    CHECK_EQ(seed.files, OM_VM_SEED_FILES - 2);
out:
    json_decref(u);
    om_vm_seed_texts_fini(&t);
}
