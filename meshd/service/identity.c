/* identity.c - the key with which this home logs in to its machines. */
#include "service/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/secret_file.h"
#include "service/hostkey.h"

#define PRIVATE "id_ed25519"
#define PUBLIC  PRIVATE ".pub"

/* ssh-keygen leaves the public half readable by all, which is right: it is no secret. */
static bool read_line(const char *folder, char out[static OM_VM_SSH_KEY])
{
    char path[OM_PATH_MAX];

    out[0] = '\0';
    if (snprintf(path, sizeof path, "%s/" PUBLIC, folder) >= (int)sizeof path)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, OM_VM_SSH_KEY - 1);
    (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return om_vm_ssh_key_check(out, NULL) == OM_OK;
}

static enum om_err make(const char *folder, struct om_error *err)
{
    uint8_t seed[OM_HOSTKEY_SEED];
    struct hostkey key;
    char line[OM_HOSTKEY_PUBLIC + 16];

    randombytes_buf(seed, sizeof seed);
    hostkey_make(&key, seed);
    sodium_memzero(seed, sizeof seed);
    int n = snprintf(line, sizeof line, "%s omerta\n", key.public_line);
    enum om_err e =
        om_secret_write(folder, PRIVATE, key.private_text, strlen(key.private_text), false, err);
    if (e == OM_OK)
        e = om_secret_write(folder, PUBLIC, line, (size_t)n, true, err);
    sodium_memzero(&key, sizeof key);
    return e;
}

bool identity_line(struct om_daemon *d, char out[static OM_VM_SSH_KEY], struct om_error *err)
{
    char folder[OM_PATH_MAX];

    if (om_home_sub(d->home, "ssh", err) != OM_OK)
        return false;
    if (!om_home_join(d->home, folder, sizeof folder, "ssh"))
        return om_fail(err, OM_E_RANGE, "the path of the home is too long") == OM_OK;
    if (read_line(folder, out))
        return true;
    if (make(folder, err) != OM_OK)
        return false;
    return read_line(folder, out) ||
           om_fail(err, OM_E_STATE, "%.120s/" PUBLIC " cannot be read", folder) == OM_OK;
}
