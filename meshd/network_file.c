/* network_file.c - bytes of a network, and the folder that has them. */
#include "network_file.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/wire.h>

#include "host/secret_file.h"

enum {
    FILE_VERSION = 1,
    PINNED = 1, /* flags */
    SHY = 2,
    PEER_BYTES = 32 + 18,
    FILE_MAX = 3 + 32 + 4 + 32 + 1 + OM_NAME_MAX + 1 + OM_NETWORK_PEERS_MAX * PEER_BYTES + 3 + 8 +
               OM_PINS_MAX * 32 + 1 + 32 + 1 + OM_CHAIN_NODE_MAX + 1 + OM_CHAIN_ADMIN_MAX + 2 +
               OM_EPOCHS_KEPT_MAX
};

#define FOLDER "networks"

/* The path of the folder in @home, whether it is there or not. */
static enum om_err folder_of(const char *home, char out[static OM_HOME_PATH_MAX],
                             struct om_error *err)
{
    int n = snprintf(out, OM_HOME_PATH_MAX, "%s/" FOLDER, home);

    if (n < 0 || n >= OM_HOME_PATH_MAX)
        return om_fail(err, OM_E_RANGE, "path of the home is too long");
    return OM_OK;
}

static size_t encode(uint8_t out[static FILE_MAX], const struct network_file *f)
{
    const struct om_network_link *l = &f->link;
    struct om_wr w = om_wr(om_mut(out, FILE_MAX));
    size_t name = strlen(f->name);

    om_wr_u8(&w, FILE_VERSION);
    om_wr_u8(&w, (uint8_t)l->kind);
    om_wr_u8(&w, (uint8_t)((l->is_pinned ? PINNED : 0) | (f->is_shy ? SHY : 0)));
    om_wr_copy(&w, l->authority.b, sizeof l->authority.b);
    om_wr_u32(&w, l->epoch);
    om_wr_copy(&w, l->secret, sizeof l->secret);
    om_wr_u8(&w, (uint8_t)name);
    om_wr_copy(&w, f->name, name);
    om_wr_u8(&w, (uint8_t)l->peer_count);
    for (unsigned i = 0; i < l->peer_count; i++) {
        om_wr_copy(&w, l->peers[i].key.b, sizeof l->peers[i].key.b);
        om_addr_write(&w, &l->peers[i].addr);
    }
    om_wr_u8(&w, f->pins.is_on);
    om_wr_u8(&w, (uint8_t)f->pins.count);
    om_wr_u8(&w, (uint8_t)f->pins.left);
    om_wr_u64(&w, f->pins_until_s);
    for (unsigned i = 0; i < f->pins.count; i++)
        om_wr_copy(&w, f->pins.key[i].b, sizeof f->pins.key[i].b);
    if (l->kind == OM_NETWORK_CLOSED) {
        om_wr_u8(&w, f->is_ours);
        om_wr_copy(&w, f->seed, sizeof f->seed);
        om_wr_u8(&w, (uint8_t)f->certs.node_len);
        om_wr_copy(&w, f->certs.node, f->certs.node_len);
        om_wr_u8(&w, (uint8_t)f->certs.admin_len);
        om_wr_copy(&w, f->certs.admin, f->certs.admin_len);
        if (f->epochs_len > 0)
            om_wr_u16(&w, (uint16_t)f->epochs_len);
        om_wr_copy(&w, f->epochs, f->epochs_len);
    }
    OM_BUG_IF(w.bad);
    return om_wr_len(&w);
}

static bool read_pins(struct om_rd *r, struct network_file *f)
{
    f->pins.is_on = om_rd_u8(r) != 0;
    f->pins.count = om_rd_u8(r);
    f->pins.left = om_rd_u8(r);
    f->pins_until_s = om_rd_u64(r);
    if (f->pins.count + f->pins.left > OM_PINS_MAX)
        return false;
    for (unsigned i = 0; i < f->pins.count; i++)
        om_rd_copy(r, f->pins.key[i].b, sizeof f->pins.key[i].b);
    return true;
}

static bool read_closed(struct om_rd *r, struct network_file *f)
{
    struct om_certs *c = &f->certs;

    f->is_ours = om_rd_u8(r) != 0;
    om_rd_copy(r, f->seed, sizeof f->seed);
    c->node_len = om_rd_u8(r);
    if (c->node_len > sizeof c->node)
        return false;
    om_rd_copy(r, c->node, c->node_len);
    c->admin_len = om_rd_u8(r);
    if (c->admin_len > sizeof c->admin)
        return false;
    om_rd_copy(r, c->admin, c->admin_len);
    if (om_rd_left(r) == 0)
        return true;
    f->epochs_len = om_rd_u16(r);
    if (f->epochs_len == 0 || f->epochs_len > sizeof f->epochs)
        return false;
    om_rd_copy(r, f->epochs, f->epochs_len);
    return true;
}

static bool decode(struct network_file *f, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_network_link *l = &f->link;
    bool is_known = om_rd_u8(&r) == FILE_VERSION;
    uint8_t kind = om_rd_u8(&r);

    l->kind = (enum om_network_kind)kind;
    uint8_t flags = om_rd_u8(&r);
    l->is_pinned = (flags & PINNED) != 0;
    f->is_shy = (flags & SHY) != 0;
    om_rd_copy(&r, l->authority.b, sizeof l->authority.b);
    l->epoch = om_rd_u32(&r);
    om_rd_copy(&r, l->secret, sizeof l->secret);
    size_t name = om_rd_u8(&r);
    if (!is_known || flags > (PINNED | SHY) || kind > OM_NETWORK_CLOSED || name == 0 ||
        name > OM_NAME_MAX)
        return false;
    om_rd_copy(&r, f->name, name);
    l->peer_count = om_rd_u8(&r);
    if (l->peer_count > OM_NETWORK_PEERS_MAX)
        return false;
    for (unsigned i = 0; i < l->peer_count; i++) {
        om_rd_copy(&r, l->peers[i].key.b, sizeof l->peers[i].key.b);
        l->peers[i].addr = om_addr_read(&r);
    }
    if (!read_pins(&r, f) || (kind == OM_NETWORK_CLOSED && !read_closed(&r, f)) || !om_rd_done(&r))
        return false;
    om_network_link_derive(l);
    return true;
}

enum om_err network_file_write(struct om_home *home, const struct network_file *f,
                               struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX], id[OM_ID_TEXT];
    uint8_t bytes[FILE_MAX];
    enum om_err e = om_home_sub(home, FOLDER, err);

    if (e == OM_OK)
        e = folder_of(om_home_path(home), folder, err);
    if (e != OM_OK)
        return e;
    size_t n = encode(bytes, f);
    e = om_secret_write(folder, om_id_print(&f->link.id, id), bytes, n, true, err);
    sodium_memzero(bytes, sizeof bytes);
    return e;
}

enum om_err network_file_read(const char *home, const struct om_id *id, struct network_file *out,
                              struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX], text[OM_ID_TEXT];
    struct network_file f = {.name = ""};
    uint8_t bytes[FILE_MAX];
    size_t n = 0;
    enum om_err e = folder_of(home, folder, err);

    if (e != OM_OK)
        return e;
    e = om_secret_read(folder, om_id_print(id, text), bytes, sizeof bytes, &n, err);
    if (e == OM_OK && (!decode(&f, om_bytes(bytes, n)) || !om_id_equal(&f.link.id, id)))
        e = om_fail(err, OM_E_PARSE,
                    "damaged, or of another version: move away %.60s/%s to start without it",
                    folder, text);
    if (e == OM_OK)
        *out = f;
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(&f, sizeof f);
    return e;
}

enum om_err network_file_remove(struct om_home *home, const struct om_id *id, struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX], path[OM_HOME_PATH_MAX + OM_ID_TEXT + 1], text[OM_ID_TEXT];

    if (folder_of(om_home_path(home), folder, err) != OM_OK)
        return OM_E_RANGE;
    (void)snprintf(path, sizeof path, "%s/%s", folder, om_id_print(id, text));
    if (unlink(path) != 0 && errno != ENOENT)
        return om_fail(err, OM_E_STATE, "%.120s: cannot be removed: %s", path, strerror(errno));
    return OM_OK;
}

static int by_id(const void *a, const void *b)
{
    return om_id_cmp(a, b);
}

enum om_err network_file_list(const char *home, struct om_id out[OM_NETWORKS_MAX], unsigned *count,
                              struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX];
    const struct dirent *entry;
    struct om_id id;
    enum om_err e = folder_of(home, folder, err);
    DIR *all = e == OM_OK ? opendir(folder) : NULL;

    *count = 0;
    if (e != OM_OK || (!all && errno == ENOENT)) /* it was never in any */
        return e;
    if (!all)
        return om_fail(err, OM_E_STATE, "%.120s: %s", folder, strerror(errno));
    while (e == OM_OK && (entry = readdir(all)) != NULL) {
        if (om_id_parse(&id, entry->d_name, NULL) != OM_OK)
            continue;
        if (*count == OM_NETWORKS_MAX)
            e = om_fail(err, OM_E_FULL, "%.120s: more than %d networks", folder, OM_NETWORKS_MAX);
        else
            out[(*count)++] = id;
    }
    (void)closedir(all);
    if (e == OM_OK)
        qsort(out, *count, sizeof *out, by_id);
    return e;
}
