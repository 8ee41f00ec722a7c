/* test_image.c - descriptions, languages, hashes and the catalogue. */
#include "harness.h"

#include <stdio.h>

#include "json_hook.h"
#include "vm/core/image.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char mini[] =
    "{\"name\": \"mini\", \"format\": 1, \"arch\": \"x86_64\", \"files\": {\"vmlinux\": \"" HASH
    "\", \"initrd\": \"" HASH "\"}, \"kernel\": \"6.1.0-56-cloud-amd64\","
    " \"cmdline\": \"console=ttyS0 quiet\", \"memory_min_mib\": 128, \"languages\": [\"sh\"],"
    " \"agent\": 1, \"ssh_user\": \"root\", \"packages\": {\"busybox\": \"1:1\"},"
    " \"recipe\": \"abc\"}";

static enum om_err read_text(struct om_vm_image *i, const char *text, struct om_error *err)
{
    json_t *o = json_hook_loads(text);

    if (!o)
        return OM_E_NO_MEM;
    enum om_err e = om_vm_image_read(i, o, err);
    json_decref(o);
    return e;
}

OM_TEST(image_reads_what_the_builder_writes)
{
    struct om_vm_image i;

    OM_TRY(read_text(&i, mini, NULL) == OM_OK);
    CHECK_STR(i.name, "mini");
    CHECK_STR(i.cmdline, "console=ttyS0 quiet");
    CHECK(i.memory_min_mib == 128 && i.agent == 1 && i.languages == 1 && i.files == 2);
    CHECK(om_vm_image_find_file(&i, "initrd")->sha256[1] == 0x11);
    CHECK(!om_vm_image_find_file(&i, "disk.raw"));
    CHECK_STR(om_vm_image_state_name(i.state), "unknown");
    OM_TRY(read_text(&i, "{\"name\": \"d\", \"files\": {\"disk.qcow2\": \"" HASH "\"}}", NULL) ==
           OM_OK);
    CHECK(i.agent == 0 && i.languages == 0);
    CHECK_STR(i.ssh_user, "root");
out:
    return;
}

OM_TEST(image_refuses_bad_descriptions)
{
    static const struct {
        const char *text, *start;
    } rows[] = {
        {"{}", "image.name: want one"},
        {"{\"name\": \"../x\"}", "image.name: \"../x\": want letters"},
        {"{\"name\": \"a\"}", "image.files: image.files: is nothing: want an object"},
        {"{\"name\": \"a\", \"files\": {}}", "image.files: want vmlinux or a disk"},
        {"{\"name\": \"a\", \"files\": {\"initrd\": \"" HASH "\"}}", "image.files: want vmlinux"},
        {"{\"name\": \"a\", \"files\": {\"vmlinux\": \"" HASH "0\"}}",
         "image.files: image.files.vmlinux: want 64 hexadecimal digits"},
        {"{\"name\": \"a\", \"files\": {\"vmlinux\": 5}}",
         "image.files: image.files.vmlinux: want 64"},
        {"{\"name\": \"a\", \"files\": {\"../../x\": \"" HASH "\"}}",
         "image.files: image.files.../../x: unknown member"},
        {"{\"name\": \"a\", \"files\": {\"disk.raw\": \"" HASH "\", \"disk.qcow2\": \"" HASH "\"}}",
         "image.files: want disk.raw or disk.qcow2, not both"},
        {"{\"name\": \"a\", \"format\": 2}", "image.format: is 2: want 1"},
        {"{\"name\": \"a\", \"arch\": \"arm\"}", "image.arch: is \"arm\""},
        {"{\"name\": \"a\", \"languages\": [\"sh\"]}", "image.languages: want an agent"},
        {"{\"name\": \"a\", \"agent\": 1, \"languages\": [5]}", "image.languages: element 0"},
        {"{\"name\": \"a\", \"cmdline\": \"a\\nb\"}", "image.cmdline: holds a control"},
        {"{\"name\": \"a\", \"firmware\": 1}", "image.files: "},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        struct om_error err = {0};
        struct om_vm_image image;
        enum om_err e = read_text(&image, rows[i].text, &err);
        OM_TRY(e != OM_E_NO_MEM && e != OM_OK);
        CHECK(strncmp(err.msg, rows[i].start, strlen(rows[i].start)) == 0);
    }
out:
    return;
}

OM_TEST(image_language_is_refused_with_the_list)
{
    struct om_vm_image i = {.name = "py", .languages = 2, .language = {"sh", "python"}};
    struct om_error err = {0};

    CHECK_OK(om_vm_image_speaks(&i, "python", &err));
    CHECK_ERR(om_vm_image_speaks(&i, "ruby\n", &err), OM_E_UNSUPPORTED);
    CHECK_STR(err.msg, "language \"ruby\\x0a\": image py runs sh, python");
    i.languages = 0;
    CHECK_ERR(om_vm_image_speaks(&i, "sh", &err), OM_E_UNSUPPORTED);
    CHECK_STR(err.msg, "language \"sh\": image py runs no jobs");
}

OM_TEST(image_files_are_judged_by_their_hash)
{
    struct om_vm_image i = {.name = "a",
                            .memory_min_mib = 128,
                            .disk_min_mib = 500,
                            .files = 2,
                            .file = {{"vmlinux", {1}}, {"initrd", {2}}}};
    const uint8_t one[OM_VM_SHA256] = {1}, two[OM_VM_SHA256] = {2};
    struct om_error err = {0};
    struct om_vm_spec s;

    om_vm_spec_default(&s);
    om_vm_image_begin(&i);
    CHECK(om_vm_image_judge(&i, "vmlinux", one) && om_vm_image_judge(&i, "initrd", two));
    CHECK_EQ(om_vm_image_end(&i), OM_VM_IMAGE_GOOD);
    CHECK_OK(om_vm_image_fits(&i, &s, &err));
    s.memory_mib = 100;
    CHECK_ERR(om_vm_image_fits(&i, &s, &err), OM_E_RANGE);
    CHECK_STR(err.msg, "image a needs 128 MiB of memory: 100 asked");
    s.memory_mib = 128;
    s.disk_mib = 499;
    CHECK_ERR(om_vm_image_fits(&i, &s, &err), OM_E_RANGE);
    s.disk_mib = 0;
    om_vm_image_begin(&i);
    CHECK(!om_vm_image_judge(&i, "vmlinux", NULL) && om_vm_image_judge(&i, "initrd", two));
    CHECK_EQ(om_vm_image_end(&i), OM_VM_IMAGE_MISSING);
    CHECK_ERR(om_vm_image_fits(&i, &s, &err), OM_E_STATE);
    CHECK_STR(err.msg, "image a: vmlinux cannot be read");
}

OM_TEST(image_changed_file_is_never_good_again_by_itself)
{
    struct om_vm_image i = {.name = "a", .files = 1, .file = {{"vmlinux", {1}}}};
    const uint8_t one[OM_VM_SHA256] = {1}, two[OM_VM_SHA256] = {2};

    om_vm_image_begin(&i);
    CHECK(!om_vm_image_judge(&i, "vmlinux", two));
    CHECK(om_vm_image_judge(&i, "vmlinux", one));
    CHECK_EQ(om_vm_image_end(&i), OM_VM_IMAGE_CHANGED);
    CHECK_STR(i.fault, "vmlinux is not the file that was added");
}

OM_TEST(image_catalogue_finds_and_forgets)
{
    static struct om_vm_images l;
    struct om_vm_image i = {.memory_min_mib = 64};
    struct om_error err = {0};

    l = (struct om_vm_images){0};
    for (unsigned k = OM_VM_IMAGES_MAX; k > 0; k--) {
        (void)snprintf(i.name, sizeof i.name, "image%02u", k);
        CHECK_OK(om_vm_images_add(&l, &i, &err));
    }
    CHECK_ERR(om_vm_images_add(&l, &i, &err), OM_E_EXISTS);
    (void)snprintf(i.name, sizeof i.name, "other");
    CHECK_ERR(om_vm_images_add(&l, &i, &err), OM_E_FULL);
    for (unsigned k = 1; k < l.count; k++)
        CHECK(strcmp(l.image[k - 1].name, l.image[k].name) < 0);
    CHECK(om_vm_images_find(&l, "image07") && !om_vm_images_find(&l, "other"));
    CHECK(om_vm_images_remove(&l, "image07") && !om_vm_images_remove(&l, "image07"));
    CHECK(!om_vm_images_find(&l, "image07") && om_vm_images_find(&l, "image08"));
    CHECK_EQ(l.count, OM_VM_IMAGES_MAX - 1);
}
