/* image.c - a description, and a short list kept in order. */
#include "vm/core/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "vm/core/fields.h"

enum { FORMAT = 1, AGENT_MAX = 99 };

static const char *const states[] = {"unknown", "good", "missing", "changed"};
static_assert(OM_ARRAY_SIZE(states) == OM_VM_IMAGE_STATE_COUNT, "one name for each");

static const char *const file_names[] = {"vmlinux", "initrd", "disk.qcow2", "disk.raw", "agent"};
static_assert(OM_ARRAY_SIZE(file_names) == OM_VM_IMAGE_FILES, "room for each");

const char *om_vm_image_state_name(enum om_vm_image_state s)
{
    return states[s];
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hash(uint8_t out[static OM_VM_SHA256], const char *text)
{
    if (!text || strlen(text) != (size_t)2 * OM_VM_SHA256)
        return false;
    for (size_t i = 0; i < OM_VM_SHA256; i++) {
        int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* One look-up a file we know of; what is left over is told by done(). */
static void read_files(struct om_vm_image *i, const json_t *o, struct om_vm_fields *above)
{
    struct om_error why = {0};
    struct om_vm_fields f;

    om_vm_fields_open(&f, o, "image.files", &why);
    for (unsigned k = 0; k < OM_VM_IMAGE_FILES; k++) {
        const json_t *v = om_vm_fields_get(&f, file_names[k]);
        struct om_vm_image_file *to = &i->file[i->files];
        if (!v)
            continue;
        if (!read_hash(to->sha256, json_string_value(v)))
            om_vm_fields_fail(&f, file_names[k], "want 64 hexadecimal digits: its SHA-256");
        (void)snprintf(to->name, sizeof to->name, "%s", file_names[k]);
        i->files++;
    }
    if (om_vm_fields_done(&f) != OM_OK)
        om_vm_fields_fail(above, "files", "%.150s", why.msg);
    else if (om_vm_image_find_file(i, "disk.raw") && om_vm_image_find_file(i, "disk.qcow2"))
        om_vm_fields_fail(above, "files", "want disk.raw or disk.qcow2, not both");
    else if (!om_vm_image_find_file(i, "vmlinux") && !om_vm_image_find_file(i, "disk.raw") &&
             !om_vm_image_find_file(i, "disk.qcow2"))
        om_vm_fields_fail(above, "files", "want vmlinux or a disk: nothing to boot");
}

static void read_languages(struct om_vm_image *i, struct om_vm_fields *f)
{
    const json_t *list = om_vm_fields_list(f, "languages", OM_VM_IMAGE_LANGUAGES);

    for (size_t k = 0; k < json_array_size(list); k++) {
        const char *word = json_string_value(json_array_get(list, k));
        if (!word || !om_vm_name_is_plain(word, OM_VM_IMAGE_WORD - 1)) {
            om_vm_fields_fail(f, "languages", "element %zu: want a word", k);
            return;
        }
        (void)snprintf(i->language[i->languages++], OM_VM_IMAGE_WORD, "%s", word);
    }
    if (i->languages > 0 && i->agent == 0)
        om_vm_fields_fail(f, "languages", "want an agent too, which runs them");
}

static void read_name(struct om_vm_fields *f, const char *key, char *out, size_t n)
{
    char shown[OM_SHOW_TEXT];

    if (om_vm_fields_text(f, key, out, n) && !om_vm_name_is_plain(out, n - 1))
        om_vm_fields_fail(f, key, "\"%s\": want letters, digits, . _ -", om_text_show(shown, out));
}

enum om_err om_vm_image_read(struct om_vm_image *out, const json_t *o, struct om_error *err)
{
    static const char *const archs[] = {"x86_64"};
    struct om_vm_image i = {.ssh_user = "root", .memory_min_mib = OM_VM_MEMORY_MIN_MIB};
    struct om_vm_fields f;
    unsigned arch;
    uint64_t n;

    om_vm_fields_open(&f, o, "image", err);
    if (om_vm_fields_number(&f, "format", 0, UINT32_MAX, &n) && n != FORMAT)
        om_vm_fields_fail(&f, "format", "is %" PRIu64 ": want %d; a newer one made this", n,
                          FORMAT);
    read_name(&f, "name", i.name, sizeof i.name);
    read_name(&f, "ssh_user", i.ssh_user, sizeof i.ssh_user);
    (void)om_vm_fields_word(&f, "arch", archs, OM_ARRAY_SIZE(archs), &arch);
    (void)om_vm_fields_text(&f, "kernel", i.kernel, sizeof i.kernel);
    (void)om_vm_fields_text(&f, "cmdline", i.cmdline, sizeof i.cmdline);
    (void)om_vm_fields_mib(&f, "memory_min_mib", OM_VM_MEMORY_MIN_MIB, OM_VM_MEMORY_MAX_MIB,
                           &i.memory_min_mib);
    (void)om_vm_fields_mib(&f, "disk_min_mib", 0, OM_VM_DISK_MAX_MIB, &i.disk_min_mib);
    if (om_vm_fields_number(&f, "agent", 0, AGENT_MAX, &n))
        i.agent = (unsigned)n;
    read_languages(&i, &f);
    (void)om_vm_fields_get(&f, "packages"); /* for people */
    (void)om_vm_fields_get(&f, "recipe");
    const json_t *files = om_vm_fields_get(&f, "files");
    if (f.bad == OM_OK && i.name[0] == '\0')
        om_vm_fields_fail(&f, "name", "want one");
    if (f.bad == OM_OK)
        read_files(&i, files, &f);
    if (om_vm_fields_done(&f) == OM_OK)
        *out = i;
    return f.bad;
}

const struct om_vm_image_file *om_vm_image_find_file(const struct om_vm_image *i, const char *name)
{
    for (unsigned k = 0; k < i->files; k++)
        if (strcmp(i->file[k].name, name) == 0)
            return &i->file[k];
    return NULL;
}

enum om_err om_vm_image_fits(const struct om_vm_image *i, const struct om_vm_spec *s,
                             struct om_error *err)
{
    if (i->state == OM_VM_IMAGE_MISSING || i->state == OM_VM_IMAGE_CHANGED)
        return om_fail(err, OM_E_STATE, "image %s: %.120s", i->name, i->fault);
    if (s->memory_mib < i->memory_min_mib)
        return om_fail(err, OM_E_RANGE,
                       "image %s needs %" PRIu32 " MiB of memory: %" PRIu32 " asked", i->name,
                       i->memory_min_mib, s->memory_mib);
    if (s->disk_mib > 0 && s->disk_mib < i->disk_min_mib)
        return om_fail(err, OM_E_RANGE, "image %s needs %" PRIu32 " MiB of disk: %" PRIu32 " asked",
                       i->name, i->disk_min_mib, s->disk_mib);
    return s->language[0] ? om_vm_image_speaks(i, s->language, err) : OM_OK;
}

enum om_err om_vm_image_speaks(const struct om_vm_image *i, const char *language,
                               struct om_error *err)
{
    char list[OM_ERROR_MSG_MAX / 2] = "no jobs", shown[OM_SHOW_TEXT];
    size_t n = 0;

    for (unsigned k = 0; k < i->languages; k++)
        if (strcmp(i->language[k], language) == 0)
            return OM_OK;
    for (unsigned k = 0; k < i->languages && n < sizeof list; k++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", k ? ", " : "", i->language[k]);
    return om_fail(err, OM_E_UNSUPPORTED, "language \"%.40s\": image %s runs %s",
                   om_text_show(shown, language), i->name, list);
}

/* Where @name is, or would be. */
static unsigned place(const struct om_vm_images *l, const char *name)
{
    unsigned at = 0;

    while (at < l->count && strcmp(l->image[at].name, name) < 0)
        at++;
    return at;
}

struct om_vm_image *om_vm_images_find(struct om_vm_images *l, const char *name)
{
    unsigned at = place(l, name);

    return at < l->count && strcmp(l->image[at].name, name) == 0 ? &l->image[at] : NULL;
}

enum om_err om_vm_images_add(struct om_vm_images *l, const struct om_vm_image *i,
                             struct om_error *err)
{
    unsigned at = place(l, i->name);

    if (om_vm_images_find(l, i->name))
        return om_fail(err, OM_E_EXISTS, "there is an image %s: remove that first", i->name);
    if (l->count == OM_VM_IMAGES_MAX)
        return om_fail(err, OM_E_FULL, "there are %d images: remove one first", OM_VM_IMAGES_MAX);
    memmove(&l->image[at + 1], &l->image[at], (l->count - at) * sizeof l->image[0]);
    l->image[at] = *i;
    l->count++;
    return OM_OK;
}

bool om_vm_images_remove(struct om_vm_images *l, const char *name)
{
    struct om_vm_image *i = om_vm_images_find(l, name);

    if (!i)
        return false;
    l->count--;
    memmove(i, i + 1, (size_t)(&l->image[l->count] - i) * sizeof *i);
    return true;
}

void om_vm_image_begin(struct om_vm_image *i)
{
    i->state = OM_VM_IMAGE_UNKNOWN;
    i->fault[0] = '\0';
}

bool om_vm_image_judge(struct om_vm_image *i, const char *name, const uint8_t *sha256)
{
    const struct om_vm_image_file *f = om_vm_image_find_file(i, name);

    OM_BUG_IF(!f);
    if (sha256 && memcmp(sha256, f->sha256, OM_VM_SHA256) == 0)
        return true;
    i->state = sha256 ? OM_VM_IMAGE_CHANGED : OM_VM_IMAGE_MISSING;
    (void)snprintf(i->fault, sizeof i->fault, "%s %s", name,
                   sha256 ? "is not the file that was added" : "cannot be read");
    return false;
}

enum om_vm_image_state om_vm_image_end(struct om_vm_image *i)
{
    if (i->state == OM_VM_IMAGE_UNKNOWN)
        i->state = OM_VM_IMAGE_GOOD;
    return i->state;
}
