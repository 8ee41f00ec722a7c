/* test_network_file.c - networks that are kept in a home. */
#include "harness.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "host/entropy.h"
#include "network_file.h"

struct place {
    char top[FOLDER_MAX], folder[FOLDER_MAX + 16];
    struct om_home *home;
};

static bool begin(struct place *p)
{
    struct om_error err;

    p->home = NULL;
    if (!folder_make(p->top))
        return false;
    folder_at(p->folder, p->top, "networks");
    return om_home_open(&p->home, p->top, false, &err) == OM_OK;
}

static void end(struct place *p)
{
    om_home_close(p->home);
    folder_remove(p->top);
}

static struct network_file some(enum om_network_kind kind)
{
    const struct om_rng rng = om_entropy();
    struct network_file f = {
        .name = "My Team", .is_shy = kind == OM_NETWORK_OPEN, .pins_until_s = 12345};

    om_network_link_new(&f.link, kind, &rng);
    f.link.peer_count = kind == OM_NETWORK_DIRECT ? 1 : OM_NETWORK_PEERS_MAX;
    for (unsigned i = 0; i < f.link.peer_count; i++)
        f.link.peers[i] = (struct om_network_peer){{{(uint8_t)(i + 1)}}, om_addr_v4(0xc0000201, 7)};
    if (kind == OM_NETWORK_DIRECT) {
        f.link.is_pinned = true;
        f.pins = (struct om_pins){.is_on = true, .count = 2, .left = 6, .key = {{{5}}, {{6}}}};
    }
    return f;
}

static void path_of(const struct place *p, const struct network_file *f, char out[static 256])
{
    char id[OM_ID_TEXT];

    (void)snprintf(out, 256, "%s/%s", p->folder, om_id_print(&f->link.id, id));
}

OM_TEST(network_file_gives_back_what_was_kept)
{
    struct network_file back = {.name = ""};
    struct om_error err;
    struct place p;

    OM_TRY(begin(&p));
    for (int kind = OM_NETWORK_OPEN; kind <= OM_NETWORK_DIRECT; kind++) {
        struct network_file f = some((enum om_network_kind)kind);
        OM_TRY(network_file_write(p.home, &f, &err) == OM_OK);
        OM_TRY(network_file_read(p.top, &f.link.id, &back, &err) == OM_OK);
        CHECK_STR(back.name, f.name);
        CHECK_EQ(back.is_shy, f.is_shy);
        CHECK_EQ(back.link.is_pinned, f.link.is_pinned);
        CHECK(om_id_equal(&back.link.id, &f.link.id));
        CHECK_MEM(back.link.secret, f.link.secret, sizeof f.link.secret);
        CHECK_EQ(back.link.peer_count, f.link.peer_count);
        CHECK(om_addr_equal(&back.link.peers[0].addr, &f.link.peers[0].addr));
        CHECK_EQ(back.pins.count, f.pins.count);
        CHECK_EQ(back.pins.left, f.pins.left);
        CHECK(om_id_equal(&back.pins.key[1], &f.pins.key[1]));
        CHECK_EQ(back.pins_until_s, f.pins_until_s);
        (void)snprintf(f.name, sizeof f.name, "another"); /* in its own place */
        OM_TRY(network_file_write(p.home, &f, &err) == OM_OK);
        OM_TRY(network_file_read(p.top, &f.link.id, &back, &err) == OM_OK);
        CHECK_STR(back.name, "another");
        CHECK_OK(network_file_remove(p.home, &f.link.id, &err));
        CHECK_EQ(network_file_read(p.top, &f.link.id, &back, &err), OM_E_MISSING);
    }
out:
    end(&p);
}

OM_TEST(network_file_is_the_users_alone)
{
    const struct network_file f = some(OM_NETWORK_OPEN);
    struct network_file back;
    struct om_error err;
    struct place p;
    struct stat st;
    char path[256];

    OM_TRY(begin(&p) && network_file_write(p.home, &f, &err) == OM_OK);
    path_of(&p, &f, path);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(stat(p.folder, &st) == 0 && (st.st_mode & 07777) == 0700);
    CHECK_OK(network_file_read(p.top, &f.link.id, &back, &err)); /* the control */
    CHECK(chmod(path, 0640) == 0);
    CHECK_EQ(network_file_read(p.top, &f.link.id, &back, &err), OM_E_STATE);
out:
    end(&p);
}

/* Cut anywhere, or longer: never taken. */
OM_TEST(network_file_that_was_damaged_is_refused)
{
    const struct network_file f = some(OM_NETWORK_DIRECT);
    struct network_file back = {.name = "untouched"};
    struct om_error err;
    struct place p;
    struct stat st;
    char path[256];

    OM_TRY(begin(&p) && network_file_write(p.home, &f, &err) == OM_OK);
    path_of(&p, &f, path);
    CHECK(stat(path, &st) == 0);
    CHECK(truncate(path, st.st_size + 1) == 0);
    CHECK(network_file_read(p.top, &f.link.id, &back, &err) != OM_OK);
    for (off_t n = st.st_size - 1; n >= 0; n -= 13) {
        CHECK(truncate(path, n) == 0);
        CHECK(network_file_read(p.top, &f.link.id, &back, &err) != OM_OK);
    }
    CHECK_STR(back.name, "untouched");
out:
    end(&p);
}

OM_TEST(network_file_of_another_network_is_refused)
{
    const struct network_file a = some(OM_NETWORK_OPEN), b = some(OM_NETWORK_OPEN);
    struct network_file back;
    char from[256], to[256];
    struct om_error err;
    struct place p;

    OM_TRY(begin(&p) && network_file_write(p.home, &a, &err) == OM_OK);
    path_of(&p, &a, from);
    path_of(&p, &b, to);
    CHECK_OK(network_file_read(p.top, &a.link.id, &back, &err));
    CHECK(rename(from, to) == 0);
    CHECK_EQ(network_file_read(p.top, &b.link.id, &back, &err), OM_E_PARSE);
out:
    end(&p);
}

OM_TEST(network_file_lists_no_more_than_fit)
{
    struct om_id ids[OM_NETWORKS_MAX];
    struct om_error err;
    unsigned count = 0;
    struct place p;
    char other[256];

    OM_TRY(begin(&p));
    for (unsigned i = 0; i <= OM_NETWORKS_MAX; i++) {
        enum om_err e = network_file_list(p.top, ids, &count, &err);
        OM_TRY(e == OM_OK);
        CHECK_EQ(count, i);
        for (unsigned k = 1; k < count; k++)
            CHECK(om_id_cmp(&ids[k - 1], &ids[k]) < 0);
        const struct network_file f = some(OM_NETWORK_OPEN);
        OM_TRY(network_file_write(p.home, &f, &err) == OM_OK);
    }
    CHECK_EQ(network_file_list(p.top, ids, &count, &err), OM_E_FULL);
    (void)snprintf(other, sizeof other, "%s/README", p.folder); /* nobody's business */
    FILE *file = fopen(other, "we");
    CHECK(file && fclose(file) == 0);
    CHECK_OK(network_file_remove(p.home, &ids[0], &err));
    CHECK(network_file_list(p.top, ids, &count, &err) == OM_OK || om_test_oom_hit());
out:
    end(&p);
}

OM_TEST(network_file_keeps_epochs)
{
    const struct om_rng rng = om_entropy();
    struct network_file f = {.name = "club",
                             .link = {.kind = OM_NETWORK_CLOSED, .authority = {{9}}, .epoch = 4}};
    struct network_file back = {.name = ""};
    struct om_error err;
    struct place p;
    char path[256];

    om_network_link_derive(&f.link);
    om_rng_fill(&rng, f.link.secret, sizeof f.link.secret);
    OM_TRY(begin(&p) && network_file_write(p.home, &f, &err) == OM_OK);
    OM_TRY(network_file_read(p.top, &f.link.id, &back, &err) == OM_OK);
    CHECK_EQ(back.epochs_len, 0); /* as one that an older daemon wrote */
    f.epochs_len = sizeof f.epochs;
    om_rng_fill(&rng, f.epochs, sizeof f.epochs);
    OM_TRY(network_file_write(p.home, &f, &err) == OM_OK);
    OM_TRY(network_file_read(p.top, &f.link.id, &back, &err) == OM_OK);
    CHECK_EQ(back.epochs_len, sizeof f.epochs);
    CHECK_MEM(back.epochs, f.epochs, sizeof f.epochs);
    CHECK_MEM(back.link.secret, f.link.secret, sizeof f.link.secret);
    CHECK_EQ(back.link.epoch, 4);
    path_of(&p, &f, path);
    CHECK(truncate(path, 400) == 0);
    CHECK_EQ(network_file_read(p.top, &f.link.id, &back, &err), OM_E_PARSE);
out:
    end(&p);
}
