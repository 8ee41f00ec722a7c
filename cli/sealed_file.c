/* sealed_file.c - password to key, key to box. */
#include "sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/attr.h>

enum {
    MAGIC = 8,
    SALT_AT = MAGIC,
    NONCE_AT = SALT_AT + crypto_pwhash_argon2id_SALTBYTES,
    BOX_AT = NONCE_AT + crypto_secretbox_NONCEBYTES,
    FILE_LEAST = BOX_AT + crypto_secretbox_MACBYTES,
    FILE_MAX = FILE_LEAST + OM_LINK_TEXT_MAX
};

/* What is in old files; another libsodium may find something else moderate. */
static_assert(crypto_pwhash_argon2id_OPSLIMIT_MODERATE == 3 &&
                  crypto_pwhash_argon2id_MEMLIMIT_MODERATE == 256 << 20,
              "a file of this version would open no more");

static const uint8_t magic[MAGIC] = "omkey01";

static enum om_err key_of(uint8_t key[static crypto_secretbox_KEYBYTES], const char *password,
                          const uint8_t *salt, struct om_error *err)
{
    if (sodium_init() < 0 ||
        crypto_pwhash_argon2id(key, crypto_secretbox_KEYBYTES, password, strlen(password), salt,
                               crypto_pwhash_argon2id_OPSLIMIT_MODERATE,
                               crypto_pwhash_argon2id_MEMLIMIT_MODERATE,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return om_fail(err, OM_E_NO_MEM, "no %zu MiB of memory for the password",
                       (size_t)crypto_pwhash_argon2id_MEMLIMIT_MODERATE >> 20);
    return OM_OK;
}

static enum om_err save(const char *path, const uint8_t *bytes, size_t n, struct om_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 && errno == EEXIST)
        return om_fail(err, OM_E_EXISTS, "%.150s is there already", path);
    if (fd < 0)
        return om_fail(err, OM_E_STATE, "%.150s: %s", path, strerror(errno));
    bool is_whole = fchmod(fd, 0600) == 0 && write(fd, bytes, n) == (ssize_t)n && fsync(fd) == 0;
    int cause = errno;
    if (close(fd) == 0 && is_whole)
        return OM_OK;
    (void)unlink(path);
    return om_fail(err, OM_E_STATE, "%.150s: %s", path, strerror(cause));
}

enum om_err om_sealed_file_write(const char *path, const char *text, const char *password,
                                 struct om_error *err)
{
    uint8_t bytes[FILE_MAX], key[crypto_secretbox_KEYBYTES];
    size_t n = strlen(text);

    if (n >= OM_LINK_TEXT_MAX)
        return om_fail(err, OM_E_RANGE, "too long to be sealed");
    if (access(path, F_OK) == 0) /* before the work; what comes in between, save() sees */
        return om_fail(err, OM_E_EXISTS, "%.150s is there already", path);
    memcpy(bytes, magic, sizeof magic);
    randombytes_buf(bytes + SALT_AT, BOX_AT - SALT_AT);
    enum om_err e = key_of(key, password, bytes + SALT_AT, err);
    if (e == OM_OK) {
        (void)crypto_secretbox_easy(bytes + BOX_AT, (const uint8_t *)text, n, bytes + NONCE_AT,
                                    key);
        e = save(path, bytes, FILE_LEAST + n, err);
    }
    sodium_memzero(key, sizeof key);
    return e;
}

/* All of the file, to at most FILE_MAX bytes; -1 with @err. */
static ssize_t load(const char *path, uint8_t bytes[static FILE_MAX], struct om_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = 0;
    size_t n = 0;

    if (fd < 0) {
        (void)om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "%.150s: %s", path,
                      strerror(errno));
        return -1;
    }
    do {
        got = read(fd, bytes + n, FILE_MAX - n);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got < 0)
        (void)om_fail(err, OM_E_STATE, "%.150s: %s", path, strerror(errno));
    (void)close(fd);
    return got < 0 ? -1 : (ssize_t)n;
}

enum om_err om_sealed_file_read(char out[static OM_LINK_TEXT_MAX], const char *path,
                                const char *password, struct om_error *err)
{
    uint8_t bytes[FILE_MAX], key[crypto_secretbox_KEYBYTES];
    struct om_error why = {.code = OM_OK};

    memset(out, 0, OM_LINK_TEXT_MAX);
    ssize_t n = load(path, bytes, &why);
    if (n < 0)
        return om_fail(err, why.code, "%s", why.msg);
    if (n < FILE_LEAST || n == FILE_MAX || memcmp(bytes, magic, sizeof magic) != 0)
        return om_fail(err, OM_E_PARSE, "%.150s: not a file that omerta key export made", path);
    enum om_err e = key_of(key, password, bytes + SALT_AT, err);
    if (e == OM_OK && crypto_secretbox_open_easy((uint8_t *)out, bytes + BOX_AT, (size_t)n - BOX_AT,
                                                 bytes + NONCE_AT, key) != 0)
        e = om_fail(err, OM_E_CRYPTO, "%.150s: another password, or the file was changed", path);
    sodium_memzero(key, sizeof key);
    if (e != OM_OK)
        explicit_bzero(out, OM_LINK_TEXT_MAX);
    return e;
}
