/* iso.c - the options of libarchive's writer, and what we let into it. */
#include "iso.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

enum { VOLUME_MAX = 32 /* ECMA-119 section 8.4.7 */, FILE_MODE = 0444 };

bool om_vm_iso_is_name(const char *name)
{
    char taken[sizeof letters + 3];
    size_t n = strlen(name);

    (void)snprintf(taken, sizeof taken, "%s.-_", letters);
    return n > 0 && n < OM_VM_ISO_NAME_MAX && name[0] != '.' && strspn(name, taken) == n;
}

static enum om_err check(const char *volume, const struct om_vm_iso_file *files, size_t count,
                         struct om_error *err)
{
    size_t all = 0, n = strlen(volume);

    if (n == 0 || n > VOLUME_MAX || strspn(volume, letters) != n)
        return om_fail(err, OM_E_RANGE, "volume \"%.40s\": want 1 to %d letters and digits", volume,
                       VOLUME_MAX);
    if (count == 0 || count > OM_VM_ISO_FILES)
        return om_fail(err, OM_E_RANGE, "%zu files: want 1 to %d", count, OM_VM_ISO_FILES);
    for (size_t i = 0; i < count; i++) {
        if (!om_vm_iso_is_name(files[i].name))
            return om_fail(err, OM_E_RANGE, "\"%.70s\": want letters, digits, '.', '-', '_'",
                           files[i].name);
        if (files[i].n > OM_VM_ISO_BYTES - all)
            return om_fail(err, OM_E_RANGE, "want at most %d bytes in all", OM_VM_ISO_BYTES);
        all += files[i].n;
    }
    return OM_OK;
}

static enum om_err failed(struct archive *a, struct om_error *err)
{
    int cause = archive_errno(a);
    const char *text = archive_error_string(a);
    bool is_full = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;

    if (cause == ENOMEM)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    return om_fail(err, is_full ? OM_E_FULL : OM_E_STATE, "cannot write the image: %.100s",
                   is_full ? "disk full"
                   : text  ? text
                           : "no reason given");
}

/* Always the same moment: the time of its making tells a guest nothing that it should know. */
static bool write_file(struct archive *a, const struct om_vm_iso_file *f)
{
    struct archive_entry *entry = archive_entry_new();

    if (!entry) {
        archive_set_error(a, ENOMEM, "out of memory");
        return false;
    }
    archive_entry_set_pathname(entry, f->name);
    archive_entry_set_size(entry, (la_int64_t)f->n);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, FILE_MODE);
    archive_entry_set_mtime(entry, 0, 0);
    bool ok = archive_write_header(a, entry) == ARCHIVE_OK &&
              archive_write_data(a, f->bytes, f->n) == (la_ssize_t)f->n;
    archive_entry_free(entry);
    return ok;
}

enum om_err om_vm_iso_write(int fd, const char *volume, const struct om_vm_iso_file *files,
                            size_t count, struct om_error *err)
{
    enum om_err e = check(volume, files, count, err);
    if (e != OM_OK)
        return e;
    struct archive *a = archive_write_new();
    if (!a)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    bool ok = archive_write_set_format_iso9660(a) == ARCHIVE_OK &&
              archive_write_set_format_option(a, "iso9660", "volume-id", volume) == ARCHIVE_OK &&
              archive_write_set_format_option(a, "iso9660", "rockridge", "useful") == ARCHIVE_OK &&
              archive_write_set_format_option(a, "iso9660", "joliet", "1") == ARCHIVE_OK &&
              archive_write_open_fd(a, fd) == ARCHIVE_OK;
    for (size_t i = 0; ok && i < count; i++)
        ok = write_file(a, &files[i]);
    ok = ok && archive_write_close(a) == ARCHIVE_OK;
    if (!ok)
        e = failed(a, err);
    (void)archive_write_free(a);
    return e;
}
