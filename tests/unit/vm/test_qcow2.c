/* test_qcow2.c - headers from QEMU's own tool, and with one field changed. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "host/folder.h"
#include "vm/host/qcow2.h"

/* A header as qemu-img writes it for 8 MiB. */
static const uint8_t good[OM_VM_QCOW2_HEADER] = {
    'Q',      'F', 'I', 0xfb, 0,        0, 0, 3, [20] = 0, 0, 0, 16, [28] = 0, 0x80, 0, 0,
    [36] = 0, 0,   0,   1,    [40] = 0, 0, 0, 0, 0,        3, 0, 0,  [48] = 0, 0,    0, 0,
    0,        1,   0,   0,    [56] = 0, 0, 0, 1, [96] = 0, 0, 0, 4,  0,        0,    0, 104};

OM_TEST(qcow2_reads_what_qemu_wrote)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16], command[256];
    uint64_t size = 0;

    CHECK_OK(om_vm_qcow2_check(&size, om_bytes(good, sizeof good), NULL));
    CHECK_EQ(size, 8 << 20);
    CHECK(folder_make(top));
    folder_at(path, top, "image");
    (void)snprintf(command, sizeof command, "qemu-img create -q -f qcow2 %s 5G", path);
    if (system(command) == 0) { /* NOLINT(cert-env33-c): a test's own words */
        CHECK_OK(om_vm_qcow2_size(&size, path, "qcow2", NULL));
        CHECK_EQ(size, 5UL << 30);
        (void)snprintf(command, sizeof command,
                       "cd %s && qemu-img create -q -f qcow2 -o data_file=d,data_file_raw=on image"
                       " 1M",
                       top);
        CHECK_EQ(system(command), 0); /* NOLINT(cert-env33-c) */
        CHECK_ERR(om_vm_qcow2_size(&size, path, "qcow2", NULL), OM_E_UNSUPPORTED);
    } else {
        print_message("skipped: qemu-img is not installed\n");
    }
    folder_remove(top);
}

OM_TEST(qcow2_refuses_what_leans_on_other_files)
{
    static const struct {
        unsigned at;
        const char *what;
    } fields[] = {
        {15, "base"}, {19, "base"}, {79, "elsewhere"}, {35, "encrypted"}, {63, "snapshots"}};
    uint8_t h[sizeof good];
    struct om_error err;
    uint64_t size = 7;

    for (size_t i = 0; i < OM_ARRAY_SIZE(fields); i++) {
        memcpy(h, good, sizeof h);
        h[fields[i].at] = 4;
        CHECK_ERR(om_vm_qcow2_check(&size, om_bytes(h, sizeof h), &err), OM_E_UNSUPPORTED);
        CHECK(strstr(err.msg, fields[i].what) != NULL);
    }
    CHECK_EQ(size, 7);
    memcpy(h, good, sizeof h);
    h[79] = 1; /* left dirty by a crash: QEMU mends that */
    CHECK_OK(om_vm_qcow2_check(&size, om_bytes(h, sizeof h), &err));
}

OM_TEST(qcow2_refuses_what_it_does_not_know)
{
    uint8_t h[sizeof good];
    uint64_t size = 0;

    for (size_t n = 0; n < 80; n++)
        CHECK_ERR(om_vm_qcow2_check(&size, om_bytes(good, n), NULL), OM_E_PARSE);
    memcpy(h, good, sizeof h);
    h[7] = 4;
    CHECK_ERR(om_vm_qcow2_check(&size, om_bytes(h, sizeof h), NULL), OM_E_UNSUPPORTED);
    h[7] = 2; /* version 2 has no more than 72 bytes */
    CHECK_OK(om_vm_qcow2_check(&size, om_bytes(h, 72), NULL));
    memset(h + 24, 0xff, 8);
    CHECK_ERR(om_vm_qcow2_check(&size, om_bytes(h, sizeof h), NULL), OM_E_RANGE);
    memset(h + 24, 0, 8);
    CHECK_ERR(om_vm_qcow2_check(&size, om_bytes(h, sizeof h), NULL), OM_E_RANGE);
}

OM_TEST(qcow2_raw_is_never_guessed)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    uint64_t size = 0;

    CHECK(folder_make(top));
    folder_at(path, top, "image");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK_EQ(write(fd, good, sizeof good), sizeof good);
    CHECK_ERR(om_vm_qcow2_size(&size, path, "raw", NULL), OM_E_PARSE);
    CHECK_OK(om_vm_qcow2_size(&size, path, "qcow2", NULL));
    CHECK_EQ(pwrite(fd, "X", 1, 0), 1);
    CHECK_OK(om_vm_qcow2_size(&size, path, "raw", NULL));
    CHECK_EQ(size, sizeof good);
    (void)close(fd);
    CHECK_ERR(om_vm_qcow2_size(&size, path, "", NULL), OM_E_RANGE);
    CHECK_ERR(om_vm_qcow2_size(&size, top, "raw", NULL), OM_E_STATE);
    CHECK_ERR(om_vm_qcow2_size(&size, "/nonexistent", "raw", NULL), OM_E_MISSING);
    folder_remove(top);
}
