/* prepare.c - folder and image of a machine, then its disk and its seed at once; and their end. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "service/parts.h"
#include "vm/core/plant.h"
#include "vm/core/seed.h"
#include "vm/host/wipe.h"

enum { SPARE_BYTES = 256 * 1024 * 1024, BYTES_PER_MIB = 1024 * 1024 };

/* What takes as long as the disk does; the thread touches nothing else. */
struct vm_check {
    uv_work_t work;
    struct service_vm *vm;
    bool is_wipe, is_cancelled;
    char folder[OM_PATH_MAX], image_folder[OM_PATH_MAX];
    struct om_vm_image image;
    struct om_vm_sums sums; /* the hub's, and what was learned */
    struct om_error err;    /* code OM_OK: it went well */
};

static void judge(struct vm_check *c)
{
    char path[OM_PATH_MAX + OM_VM_IMAGE_WORD + 1];
    uint8_t sum[OM_VM_SHA256];

    om_vm_image_begin(&c->image);
    for (unsigned i = 0; i < c->image.files; i++) {
        const char *name = c->image.file[i].name;
        (void)snprintf(path, sizeof path, "%s/%s", c->image_folder, name);
        bool is_read = om_vm_sums_file(&c->sums, path, om_clock_wall(), sum) == OM_OK;
        (void)om_vm_image_judge(&c->image, name, is_read ? sum : NULL);
    }
    if (om_vm_image_end(&c->image) != OM_VM_IMAGE_GOOD)
        (void)om_fail(&c->err, OM_E_STATE, "%.180s", c->image.fault);
}

static void on_work(uv_work_t *work)
{
    struct vm_check *c = work->data;

    c->err = (struct om_error){.code = OM_OK};
    if (om_vm_wipe(c->folder, &c->err) != OM_OK || c->is_wipe)
        return;
    if (mkdir(c->folder, 0700) != 0)
        (void)om_fail(&c->err, OM_E_STATE, "cannot make the folder of the machine: %s",
                      strerror(errno));
    else
        judge(c);
}

static void stop_parts(struct service_vm *v)
{
    if (v->disk)
        om_vm_disk_cancel(v->disk);
    if (v->seed)
        om_vm_seed_job_cancel(v->seed);
    v->disk = NULL;
    v->seed = NULL;
}

/* One of disk and seed is there, or cannot be made: then the other is not wanted either. */
static void part_done(struct service_vm *v, enum om_err e, const char *why)
{
    if (e != OM_OK) {
        stop_parts(v);
        machine_input(v, OM_VM_IN_UNPREPARED, why);
    } else if (!v->disk && !v->seed) {
        machine_input(v, OM_VM_IN_PREPARED, NULL);
    }
}

static void on_seed(void *self, enum om_err e, const char *why)
{
    struct service_vm *v = self;

    v->seed = NULL;
    part_done(v, e, why);
}

/* The image's agent, owned; none when it has none. Once more it must be the one that was added. */
static enum om_err read_agent(const struct service_vm *v, uint8_t **bytes, size_t *n,
                              struct om_error *err)
{
    const struct om_vm_image_file *f = om_vm_image_find_file(&v->image, OM_VM_PLANT_FILE);
    char path[OM_PATH_MAX + OM_VM_IMAGE_NAME + OM_VM_IMAGE_WORD + 16];
    uint8_t sum[OM_VM_SHA256];

    *bytes = NULL;
    *n = 0;
    if (!f)
        return OM_OK;
    *bytes = malloc(OM_VM_PLANT_MAX);
    (void)snprintf(path, sizeof path, "%s/images/%s/%s", v->hub->d->place.home, v->image.name,
                   f->name);
    int fd = *bytes ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t got = fd >= 0 ? read(fd, *bytes, OM_VM_PLANT_MAX) : -1;
    if (fd >= 0)
        (void)close(fd);
    if (got <= 0 || crypto_hash_sha256(sum, *bytes, (unsigned long long)got) != 0 ||
        memcmp(sum, f->sha256, sizeof sum) != 0)
        return om_fail(err, OM_E_STATE, "the agent of image %s is not the file that was added",
                       v->image.name);
    *n = (size_t)got;
    return OM_OK;
}

static enum om_err plant(const struct service_vm *v, struct om_vm_seed *seed, uint8_t **agent,
                         char words[static OM_VM_PLANT_TEXT], struct om_error *err)
{
    size_t n = 0;

    if (!om_vm_plant_wanted(&v->image))
        return OM_OK;
    if (read_agent(v, agent, &n, err) != OM_OK)
        return err->code;
    enum om_err e = om_vm_plant(seed, &v->image, om_bytes(*agent, n), words);
    return e == OM_OK ? OM_OK : om_fail(err, e, "image %s: its words are no words", v->image.name);
}

static enum om_err write_seed(struct service_vm *v, const struct hostkey *key, struct om_error *err)
{
    const char *const argv[] = {v->hub->self_path, "--make-seed", NULL};
    struct om_vm_seed_texts texts = {.meta_data = NULL};
    uint8_t mac[OM_STACK_MAC], *agent = NULL;
    char words[OM_VM_PLANT_TEXT];
    struct om_vm_seed seed = {.instance_id = v->id,
                              .hostname = v->id,
                              .user = v->image.ssh_user,
                              .ssh_key = v->spec.ssh_key[0] ? v->spec.ssh_key : NULL,
                              .host_key_private = key->private_text,
                              .host_key_public = key->public_line,
                              .mac = mac};

    machine_mac(v, mac);
    enum om_err e = plant(v, &seed, &agent, words, err);
    if (e == OM_OK)
        e = om_vm_seed_build(&texts, &seed, err);
    free(agent);
    if (e == OM_OK) {
        const struct om_vm_iso_file files[] = {
            {"user-data", texts.user_data, strlen(texts.user_data)},
            {"meta-data", texts.meta_data, strlen(texts.meta_data)},
            {"network-config", texts.network_config, strlen(texts.network_config)}};
        const struct om_vm_seed_job_config config = {.loop = &v->hub->d->loop,
                                                     .via = v->hub->spawner,
                                                     .argv = argv,
                                                     .folder = v->folder,
                                                     .name = "seed.iso",
                                                     .files = files,
                                                     .count = OM_ARRAY_SIZE(files),
                                                     .on_done = on_seed,
                                                     .self = v};
        e = om_vm_seed_job_start(&v->seed, &config, err);
    }
    om_vm_seed_texts_fini(&texts);
    return e;
}

static enum om_err make_seed(struct service_vm *v, struct om_error *err)
{
    uint8_t random[OM_HOSTKEY_SEED];
    struct hostkey key;

    randombytes_buf(random, sizeof random);
    hostkey_make(&key, random);
    sodium_memzero(random, sizeof random);
    memcpy(v->host_key, key.public_line, sizeof v->host_key);
    enum om_err e = write_seed(v, &key, err);
    sodium_memzero(&key, sizeof key);
    return e;
}

static void on_disk(void *self, enum om_err e, const char *why)
{
    struct service_vm *v = self;

    v->disk = NULL;
    part_done(v, e, why);
}

static enum om_err make_disk(struct service_vm *v, struct om_error *err)
{
    char base[OM_PATH_MAX + 16] = "";
    const char *format = om_vm_image_find_file(&v->image, "disk.qcow2") ? "qcow2"
                         : om_vm_image_find_file(&v->image, "disk.raw") ? "raw"
                                                                        : NULL;
    const struct om_vm_disk_config config = {.loop = &v->hub->d->loop,
                                             .via = v->hub->spawner,
                                             .qemu_img = v->hub->qemu_img,
                                             .folder = v->folder,
                                             .name = "disk.qcow2",
                                             .image = format ? base : NULL,
                                             .format = format,
                                             .bytes = (uint64_t)v->spec.disk_mib * BYTES_PER_MIB,
                                             .spare = SPARE_BYTES,
                                             .on_done = on_disk,
                                             .self = v};

    if (!format && v->spec.disk_mib == 0)
        return OM_OK;
    (void)snprintf(base, sizeof base, "%.4000s/images/%s/disk.%s", v->hub->d->place.home,
                   v->image.name, format ? format : "");
    return om_vm_disk_start(&v->disk, &config, err);
}

static void make_parts(struct service_vm *v)
{
    struct om_error err = {.msg = "no memory"};
    enum om_err e = OM_E_STATE;

    if (!v->hub->spawner) /* it ended meanwhile, and this process must start nothing itself */
        (void)om_fail(&err, e, "%s", v->hub->missing);
    else
        e = make_disk(v, &err);

    if (e == OM_OK)
        e = make_seed(v, &err);
    if (e != OM_OK)
        part_done(v, e, err.msg);
}

static void on_work_done(uv_work_t *work, int status OM_UNUSED)
{
    struct vm_check *c = work->data;
    struct service_vm *v = c->vm;
    bool is_good = c->err.code == OM_OK;

    v->jobs--;
    if (c->is_wipe) {
        machine_input(v, OM_VM_IN_WIPED, is_good ? "" : c->err.msg);
    } else {
        v->check = NULL;
        v->image = c->image;
        om_vm_sums_merge(&v->hub->sums, &c->sums);
        if (c->is_cancelled || !is_good)
            machine_input(v, OM_VM_IN_UNPREPARED, is_good ? "given up" : c->err.msg);
        else
            make_parts(v);
    }
    free(c);
    vms_touch(v->hub);
}

static struct vm_check *queue(struct service_vm *v, bool is_wipe)
{
    struct vm_check *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->work.data = c;
    c->vm = v;
    c->is_wipe = is_wipe;
    c->image = v->image;
    c->sums = v->hub->sums;
    memcpy(c->folder, v->folder, sizeof c->folder);
    (void)snprintf(c->image_folder, sizeof c->image_folder, "%.4000s/images/%s",
                   v->hub->d->place.home, v->image.name);
    if (uv_queue_work(&v->hub->d->loop, &c->work, on_work, on_work_done) != 0) {
        free(c);
        return NULL;
    }
    v->jobs++;
    return c;
}

void prepare_start(struct service_vm *v)
{
    if (!v->hub->spawner) {
        machine_input(v, OM_VM_IN_UNPREPARED, v->hub->missing);
        return;
    }
    if (v->image.files == 0) { /* as builder_describe() leaves it */
        builder_want(v);
        return;
    }
    v->check = queue(v, false);
    if (!v->check)
        machine_input(v, OM_VM_IN_UNPREPARED, "no memory");
}

void prepare_cancel(struct service_vm *v)
{
    bool is_now = builder_forget(v) || v->disk || v->seed;

    if (v->check)
        v->check->is_cancelled = true;
    stop_parts(v);
    if (is_now)
        machine_input(v, OM_VM_IN_UNPREPARED, "given up");
}

void prepare_wipe(struct service_vm *v)
{
    if (!queue(v, true))
        machine_input(v, OM_VM_IN_WIPED, "no memory");
}
