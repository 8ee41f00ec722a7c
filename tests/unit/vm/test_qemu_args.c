/* test_qemu_args.c - what QEMU is started with, and what a name can do to it. */
#include "harness.h"

#include <stdio.h>

#include "json_hook.h"
#include "tests/model/dice.h"
#include "vm/core/qemu_args.h"

static struct om_vm_machine sample(void)
{
    return (struct om_vm_machine){
        .qemu = "/usr/bin/qemu-system-x86_64",
        .name = "omerta-vm-7",
        .folder = "/run/omerta/vm/7",
        .kernel = "/images/mini/vmlinux",
        .initrd = "/images/mini/initrd",
        .append = "console=ttyS0 panic=-1",
        .disk = "/run/omerta/vm/7/disk.qcow2",
        .seed = "/run/omerta/vm/7/seed.iso",
        .engine = OM_VM_TCG,
        .cpus = 2,
        .memory_mib = 512,
        .mac = {0x02, 0, 0, 0x0a, 0xff, 7},
        .mtu = 1400,
    };
}

static const char overlay[] =
    "{\"node-name\":\"overlay\",\"driver\":\"qcow2\",\"read-only\":false,\"file\":{\"driver\":"
    "\"file\",\"filename\":\"/run/omerta/vm/7/disk.qcow2\"},\"backing\":null}";
static const char seed[] =
    "{\"node-name\":\"seed\",\"driver\":\"raw\",\"read-only\":true,\"file\":{\"driver\":\"file\","
    "\"filename\":\"/run/omerta/vm/7/seed.iso\"}}";

static const char *const golden[] = {
    "/usr/bin/qemu-system-x86_64",
    "-name",
    "guest=omerta-vm-7",
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-sandbox",
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    "-action",
    "reboot=shutdown,shutdown=poweroff,panic=pause",
    "-rtc",
    "base=utc",
    "-machine",
    "q35,usb=off,vmport=off,dump-guest-core=off",
    "-cpu",
    "max,vmx=off,svm=off,erms=off,fsrm=off",
    "-accel",
    "tcg,thread=multi,tb-size=64",
    "-smp",
    "cpus=2",
    "-m",
    "size=512M",
    "-kernel",
    "/images/mini/vmlinux",
    "-initrd",
    "/images/mini/initrd",
    "-append",
    "console=ttyS0 panic=-1",
    "-blockdev",
    overlay,
    "-device",
    "virtio-blk-pci,drive=overlay,serial=disk",
    "-blockdev",
    seed,
    "-device",
    "virtio-blk-pci,drive=seed,serial=cidata",
    "-netdev",
    "stream,id=nic,server=on,addr.type=unix,addr.path=/run/omerta/vm/7/nic.sock",
    "-device",
    "virtio-net-pci,netdev=nic,romfile=,mac=02:00:00:0a:ff:07,host_mtu=1400",
    "-chardev",
    "socket,id=qmp,server=on,wait=off,path=/run/omerta/vm/7/qmp.sock",
    "-chardev",
    "socket,id=console,server=on,wait=off,path=/run/omerta/vm/7/console.sock",
    "-chardev",
    "socket,id=agent,server=on,wait=off,path=/run/omerta/vm/7/agent.sock",
    "-mon",
    "chardev=qmp,mode=control",
    "-serial",
    "chardev:console",
    "-device",
    "virtio-serial-pci",
    "-device",
    "virtserialport,chardev=agent,name=org.omerta.agent",
    "-object",
    "rng-builtin,id=rng",
    "-device",
    "virtio-rng-pci,rng=rng",
    "-device",
    "pvpanic-pci",
};

static struct om_vm_args args;

static bool has(const char *option, const char *part)
{
    for (unsigned i = 0; i + 1 < args.argc; i++)
        if (strcmp(args.argv[i], option) == 0 && strstr(args.argv[i + 1], part))
            return true;
    return false;
}

OM_TEST(qemu_args_golden)
{
    struct om_vm_machine l = sample();

    OM_TRY(om_vm_args_build(&args, &l, NULL) == OM_OK);
    for (unsigned i = 0; i < args.argc && i < OM_ARRAY_SIZE(golden); i++)
        CHECK_STR(args.argv[i], golden[i]);
    CHECK_EQ(args.argc, OM_ARRAY_SIZE(golden));
    CHECK(args.argv[args.argc] == NULL);
out:
    return;
}

OM_TEST(qemu_args_leave_out_what_is_absent)
{
    struct om_vm_machine l = sample();

    l.initrd = l.append = l.disk = l.seed = NULL;
    l.engine = OM_VM_KVM;
    OM_TRY(om_vm_args_build(&args, &l, NULL) == OM_OK);
    CHECK(has("-accel", "kvm") && has("-kernel", "vmlinux"));
    CHECK(has("-cpu", "max,vmx=off,svm=off") && !has("-cpu", "erms")); /* a real one's is fast */
    CHECK(!has("-blockdev", "") && !has("-initrd", "") && !has("-append", ""));
    l = sample();
    l.kernel = NULL;
    l.base = "/images/debian.qcow2";
    l.is_base_qcow2 = true;
    l.disk_bytes_per_s = 50000000;
    l.disk_ops_per_s = 300;
    OM_TRY(om_vm_args_build(&args, &l, NULL) == OM_OK);
    CHECK(!has("-kernel", "") && !has("-initrd", "") && !has("-append", ""));
    CHECK(has("-blockdev", "{\"node-name\":\"base\",\"driver\":\"qcow2\",\"read-only\":true"));
    CHECK(has("-blockdev", "debian.qcow2\"},\"backing\":null}"));
    CHECK(has("-blockdev", "disk.qcow2\"},\"backing\":\"base\"}"));
    CHECK(has("-object", "throttle-group,id=meter,x-bps-total=50000000,x-iops-total=300"));
    CHECK(has("-device", "virtio-blk-pci,drive=metered"));
    CHECK_STR(om_vm_engine_name(OM_VM_KVM), "kvm");
out:
    return;
}

OM_TEST(qemu_args_refuse_what_cannot_be)
{
    static char path[OM_VM_ARG_PATH_MAX + 2], text[OM_VM_ARGV_TEXT];
    struct om_vm_machine l = sample();
    struct om_error err = {0};

    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    l.kernel = path;
    CHECK_ERR(om_vm_args_build(&args, &l, &err), OM_E_RANGE);
    path[95] = '\0';
    l = sample();
    l.folder = path;
    CHECK_ERR(om_vm_args_build(&args, &l, &err), OM_E_RANGE);
    CHECK(strstr(err.msg, "folder \"/aaa") && strstr(err.msg, "at most 94 bytes"));
    path[94] = '\0';
    OM_TRY(om_vm_args_build(&args, &l, &err) == OM_OK);
    CHECK(has("-chardev", "/console.sock"));
    l = sample();
    l.seed = "json:{}";
    CHECK_ERR(om_vm_args_build(&args, &l, &err), OM_E_RANGE);
    l.seed = "/a\xff";
    CHECK_ERR(om_vm_args_build(&args, &l, &err), OM_E_PARSE);
    l.seed = "/a\nb";
    CHECK_ERR(om_vm_args_build(&args, &l, &err), OM_E_PARSE);
    l = sample();
    l.kernel = l.disk = NULL;
    CHECK_ERR(om_vm_args_build(&args, &l, &err), OM_E_RANGE);
    CHECK_STR(err.msg, "neither kernel nor disk: nothing to boot");
    memset(text, 'x', sizeof text - 1);
    l = sample();
    l.append = text;
    enum om_err e = om_vm_args_build(&args, &l, &err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_RANGE);
out:
    return;
}

/* QEMU's reading of a=b,c=d: how many options, and the value of the last one. */
static unsigned split(const char *s, char *last)
{
    unsigned n = 1;

    *last = '\0';
    for (char *to = last; *s; s++) {
        if (s[0] == ',' && s[1] != ',') {
            n++;
            to = last;
            continue;
        }
        s += *s == ',';
        *to++ = *s;
        *to = '\0';
    }
    return n;
}

/* The folder with hostile characters in it is read back by QEMU's rules as it was. */
static bool check_hostile(const char *folder)
{
    static char last[1024], want[1024];
    static const struct {
        const char *option, *part, *socket;
        unsigned options;
    } rows[] = {
        {"-netdev", "id=nic", "addr.path=%s/nic.sock", 5},
        {"-chardev", "id=qmp", "path=%s/qmp.sock", 5},
        {"-chardev", "id=agent", "path=%s/agent.sock", 5},
        {"-chardev", "id=console", "path=%s/console.sock", 5},
    };
    struct om_vm_machine l = sample();
    char disk[256];

    (void)snprintf(disk, sizeof disk, "%s/disk.qcow2", folder);
    l.folder = l.name = folder;
    l.disk = l.seed = l.kernel = l.initrd = disk;
    if (om_vm_args_build(&args, &l, NULL) != OM_OK)
        return false;
    CHECK_EQ(args.argc, OM_ARRAY_SIZE(golden));
    for (unsigned i = 0; i < args.argc; i++)
        if (golden[i][0] == '-')
            CHECK_STR(args.argv[i], golden[i]);
    for (unsigned k = 0; k < OM_ARRAY_SIZE(rows); k++)
        for (unsigned i = 0; i + 1 < args.argc; i++) {
            if (strcmp(args.argv[i], rows[k].option) != 0 ||
                !strstr(args.argv[i + 1], rows[k].part))
                continue;
            CHECK_EQ(split(args.argv[i + 1], last), rows[k].options);
            (void)snprintf(want, sizeof want, rows[k].socket, folder);
            CHECK_STR(last, want);
        }
    for (unsigned i = 0; i + 1 < args.argc; i++)
        if (strcmp(args.argv[i], "-blockdev") == 0) {
            json_t *o = json_hook_loads(args.argv[i + 1]);
            if (!o)
                return false;
            const json_t *file = json_object_get(o, "file");
            CHECK_STR(json_string_value(json_object_get(file, "filename")), disk);
            CHECK_EQ(json_object_size(file), 2);
            json_decref(o);
        }
    return true;
}

OM_TEST(qemu_args_no_name_adds_an_option)
{
    static const char *const rows[] = {
        "/a,server=off",     "/a,,b",       "/,",       "/a\",\"driver\":\"nbd",
        "/a b'c$(d)`e`;f|g", "/a\\\\\"},{", "/json:{}", "/a%s%n=,=",
    };
    static const char alphabet[] = ",,,\"\\={}:[] '$;/-%a";
    struct dice d = {5};
    char name[40];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++)
        OM_TRY(check_hostile(rows[i]));
    for (unsigned i = 0; i < 300; i++) {
        size_t n = 1 + dice_below(&d, sizeof name - 2);
        for (size_t k = 0; k < n; k++)
            name[k] = alphabet[dice_below(&d, sizeof alphabet - 1)];
        name[0] = '/';
        name[n] = '\0';
        OM_TRY(check_hostile(name));
    }
out:
    return;
}
