/* qemu_args.c - one argument after the other into one buffer. */
#include "vm/core/qemu_args.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "vm/core/fields.h"

static const char *const engines[] = {"kvm", "tcg"};
static_assert(OM_ARRAY_SIZE(engines) == OM_VM_ENGINE_COUNT, "one name for each");

static const char agent_port[] = "virtserialport,chardev=agent,name=" OM_VM_AGENT_PORT;
#define LONGEST_SOCKET "/console.sock"

const char *om_vm_engine_name(enum om_vm_engine e)
{
    return engines[e];
}

/* Where the next argument is written; full is asked once, at the end. */
struct put {
    struct om_vm_args *a;
    size_t start; /* of the argument that is being written */
    bool is_full;
};

static void put_byte(struct put *p, char c)
{
    if (p->a->used == sizeof p->a->text)
        p->is_full = true;
    else
        p->a->text[p->a->used++] = c;
}

static void put_text(struct put *p, const char *s)
{
    for (; *s; s++)
        put_byte(p, *s);
}

/* A value of a=b,c=d. */
static void put_value(struct put *p, const char *s)
{
    for (; *s; s++) {
        if (*s == ',')
            put_byte(p, ',');
        put_byte(p, *s);
    }
}

static void put_number(struct put *p, uint64_t n)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRIu64, n);
    put_text(p, text);
}

static void put_end(struct put *p)
{
    put_byte(p, '\0');
    if (p->a->argc == OM_VM_ARGV_MAX)
        p->is_full = true;
    if (p->is_full)
        return;
    p->a->argv[p->a->argc++] = p->a->text + p->start;
    p->a->argv[p->a->argc] = NULL;
    p->start = p->a->used;
}

/* Arguments that are the same for every VM, up to NULL. */
static void put_all(struct put *p, const char *const *args)
{
    for (; *args; args++) {
        put_text(p, *args);
        put_end(p);
    }
}

static void put_pair(struct put *p, const char *option, const char *value)
{
    put_text(p, option);
    put_end(p);
    put_text(p, value);
    put_end(p);
}

/* -chardev, at whose socket FOLDER/@id.sock QEMU listens without waiting for anybody. */
static void put_socket(struct put *p, const struct om_vm_machine *l, const char *id)
{
    put_text(p, "-chardev");
    put_end(p);
    put_text(p, "socket,id=");
    put_text(p, id);
    put_text(p, ",server=on,wait=off,path=");
    put_value(p, l->folder);
    put_text(p, "/");
    put_text(p, id);
    put_text(p, ".sock");
    put_end(p);
}

static void put_machine(struct put *p, const struct om_vm_machine *l)
{
    static const char *const always[] = {
        "-nodefaults", "-no-user-config", "-display", "none", "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        /* a guest that starts anew or panics must not go round in circles unseen */
        "-action", "reboot=shutdown,shutdown=poweroff,panic=pause", "-rtc", "base=utc",
        /* microvm would boot faster, but hangs under TCG */
        "-machine", "q35,usb=off,vmport=off,dump-guest-core=off", NULL};
    /* virtualisation inside would be one more part of the host's kernel to attack */
    static const char *const processors[OM_VM_ENGINE_COUNT] = {
        [OM_VM_KVM] = "max,vmx=off,svm=off",
        /* what claims fast copies of single bytes is believed, and TCG makes each byte a step */
        [OM_VM_TCG] = "max,vmx=off,svm=off,erms=off,fsrm=off"};

    put_text(p, "-name");
    put_end(p);
    put_text(p, "guest=");
    put_value(p, l->name);
    put_end(p);
    put_all(p, always);
    put_pair(p, "-cpu", processors[l->engine]);
    put_pair(p, "-accel", l->engine == OM_VM_KVM ? "kvm" : "tcg,thread=multi,tb-size=64");
    put_text(p, "-smp");
    put_end(p);
    put_text(p, "cpus=");
    put_number(p, l->cpus);
    put_end(p);
    put_text(p, "-m");
    put_end(p);
    put_text(p, "size=");
    put_number(p, l->memory_mib);
    put_text(p, "M");
    put_end(p);
}

static void put_kernel(struct put *p, const struct om_vm_machine *l)
{
    if (!l->kernel)
        return;
    put_pair(p, "-kernel", l->kernel);
    if (l->initrd)
        put_pair(p, "-initrd", l->initrd);
    if (l->append)
        put_pair(p, "-append", l->append);
}

/* A node that reads @path; the overlay is the one that is written to. */
static json_t *drive_node(const char *name, const char *driver, const char *path,
                          const char *backing, bool is_read_only)
{
    json_t *o = json_pack("{s:s, s:s, s:b, s:{s:s, s:s}}", "node-name", name, "driver", driver,
                          "read-only", is_read_only, "file", "driver", "file", "filename", path);
    bool is_cow = strcmp(driver, "qcow2") == 0;

    if (o && is_cow &&
        json_object_set_new(o, "backing", backing ? json_string(backing) : json_null()) != 0) {
        json_decref(o);
        o = NULL;
    }
    return o;
}

static enum om_err put_node(struct put *p, json_t *o)
{
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    if (!text)
        return OM_E_NO_MEM;
    put_pair(p, "-blockdev", text);
    free(text);
    return OM_OK;
}

/* The overlay goes through a group that meters it, when there is something to meter. */
static enum om_err put_limit(struct put *p, const struct om_vm_machine *l)
{
    put_text(p, "-object");
    put_end(p);
    put_text(p, "throttle-group,id=meter");
    if (l->disk_bytes_per_s) {
        put_text(p, ",x-bps-total=");
        put_number(p, l->disk_bytes_per_s);
    }
    if (l->disk_ops_per_s) {
        put_text(p, ",x-iops-total=");
        put_number(p, l->disk_ops_per_s);
    }
    put_end(p);
    return put_node(p, json_pack("{s:s, s:s, s:s, s:s}", "node-name", "metered", "driver",
                                 "throttle", "throttle-group", "meter", "file", "overlay"));
}

static enum om_err put_disk(struct put *p, const struct om_vm_machine *l)
{
    bool is_metered = l->disk_bytes_per_s || l->disk_ops_per_s;
    enum om_err e = OM_OK;

    if (!l->disk)
        return OM_OK;
    if (l->base)
        e = put_node(p,
                     drive_node("base", l->is_base_qcow2 ? "qcow2" : "raw", l->base, NULL, true));
    if (e == OM_OK)
        e = put_node(p, drive_node("overlay", "qcow2", l->disk, l->base ? "base" : NULL, false));
    if (e == OM_OK && is_metered)
        e = put_limit(p, l);
    put_pair(p, "-device",
             is_metered ? "virtio-blk-pci,drive=metered,serial=disk"
                        : "virtio-blk-pci,drive=overlay,serial=disk");
    return e;
}

static enum om_err put_drives(struct put *p, const struct om_vm_machine *l)
{
    enum om_err e = put_disk(p, l);

    if (e != OM_OK || !l->seed)
        return e;
    e = put_node(p, drive_node("seed", "raw", l->seed, NULL, true));
    put_pair(p, "-device", "virtio-blk-pci,drive=seed,serial=cidata");
    return e;
}

static void put_nic(struct put *p, const struct om_vm_machine *l)
{
    char mac[18];

    put_text(p, "-netdev");
    put_end(p);
    put_text(p, "stream,id=nic,server=on,addr.type=unix,addr.path=");
    put_value(p, l->folder);
    put_text(p, "/nic.sock");
    put_end(p);
    (void)snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1],
                   l->mac[2], l->mac[3], l->mac[4], l->mac[5]);
    put_text(p, "-device");
    put_end(p);
    put_text(p, "virtio-net-pci,netdev=nic,romfile=,mac=");
    put_text(p, mac);
    put_text(p, ",host_mtu=");
    put_number(p, l->mtu);
    put_end(p);
}

static void put_ports(struct put *p, const struct om_vm_machine *l)
{
    static const char *const always[] = {"-mon",    "chardev=qmp,mode=control",
                                         "-serial", "chardev:console",
                                         "-device", "virtio-serial-pci",
                                         "-device", agent_port,
                                         "-object", "rng-builtin,id=rng",
                                         "-device", "virtio-rng-pci,rng=rng",
                                         "-device", "pvpanic-pci",
                                         NULL};

    put_socket(p, l, "qmp");
    put_socket(p, l, "console");
    put_socket(p, l, "agent");
    put_all(p, always);
}

static enum om_err check_path(const char *what, const char *path, size_t max, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    size_t n = path ? strnlen(path, max + 1) : 0;

    if (!path)
        return OM_OK;
    if (path[0] != '/')
        return om_fail(err, OM_E_RANGE, "%s \"%s\": want an absolute path", what,
                       om_text_show(shown, path));
    if (n > max)
        return om_fail(err, OM_E_RANGE, "%s \"%s\": want a path of at most %zu bytes", what,
                       om_text_show(shown, path), max);
    if (!om_vm_text_is_plain(path, n))
        return om_fail(err, OM_E_PARSE, "%s \"%s\": want UTF-8 without control characters", what,
                       om_text_show(shown, path));
    return OM_OK;
}

static enum om_err check_launch(const struct om_vm_machine *l, struct om_error *err)
{
    const struct {
        const char *what, *path;
        size_t max;
    } rows[] = {
        {"qemu", l->qemu, OM_VM_ARG_PATH_MAX},
        {"folder", l->folder, OM_VM_SOCKET_PATH_MAX - (sizeof LONGEST_SOCKET - 1)},
        {"kernel", l->kernel, OM_VM_ARG_PATH_MAX},
        {"initrd", l->initrd, OM_VM_ARG_PATH_MAX},
        {"disk", l->disk, OM_VM_ARG_PATH_MAX},
        {"base", l->base, OM_VM_ARG_PATH_MAX},
        {"seed", l->seed, OM_VM_ARG_PATH_MAX},
    };
    enum om_err e = OM_OK;

    OM_BUG_IF(!l->qemu || !l->folder || !l->name);
    for (unsigned i = 0; e == OM_OK && i < OM_ARRAY_SIZE(rows); i++)
        e = check_path(rows[i].what, rows[i].path, rows[i].max, err);
    if (e == OM_OK && !l->kernel && !l->disk)
        e = om_fail(err, OM_E_RANGE, "neither kernel nor disk: nothing to boot");
    return e;
}

enum om_err om_vm_args_build(struct om_vm_args *out, const struct om_vm_machine *l,
                             struct om_error *err)
{
    struct put p = {.a = out};
    enum om_err e = check_launch(l, err);

    if (e != OM_OK)
        return e;
    out->argc = 0;
    out->used = 0;
    put_text(&p, l->qemu);
    put_end(&p);
    put_machine(&p, l);
    put_kernel(&p, l);
    e = put_drives(&p, l);
    put_nic(&p, l);
    put_ports(&p, l);
    if (e != OM_OK)
        return om_fail(err, e, "no memory for the command line");
    if (p.is_full)
        return om_fail(err, OM_E_RANGE, "command line over %d bytes or %d arguments",
                       OM_VM_ARGV_TEXT, OM_VM_ARGV_MAX);
    return OM_OK;
}
