/* test_join_link.c - the text of an invitation, as people mangle it. */
#include "harness.h"

#include <sodium.h>

#include "network/join_link.h"

static struct om_join_link a_link(void)
{
    struct om_join_link l = {
        .has_admin = true, .authority = {{1, 2, 3}}, .epoch = 77, .peer_count = OM_JOIN_PEERS_MAX};

    memset(l.secret, 0xa5, sizeof l.secret);
    memset(l.seed, 0x5a, sizeof l.seed);
    memset(l.grant, 0x33, sizeof l.grant);
    memset(l.admin, 0xcc, sizeof l.admin);
    for (unsigned i = 0; i < l.peer_count; i++)
        l.peers[i] = (struct om_join_peer){{{(uint8_t)(i + 9)}}, om_addr_v4(0x0b000001 + i, 18002)};
    return l;
}

static void check_same(const struct om_join_link *a, const struct om_join_link *b)
{
    CHECK_EQ(a->is_open, b->is_open);
    CHECK_EQ(a->has_admin, b->has_admin);
    CHECK(om_id_equal(&a->authority, &b->authority));
    CHECK_EQ(a->epoch, b->epoch);
    CHECK_MEM(a->secret, b->secret, sizeof a->secret);
    CHECK_MEM(a->seed, b->seed, sizeof a->seed);
    CHECK_MEM(a->grant, b->grant, sizeof a->grant);
    CHECK_MEM(a->admin, b->admin, sizeof a->admin);
    CHECK_EQ(a->peer_count, b->peer_count);
    for (unsigned i = 0; i < a->peer_count; i++) {
        CHECK(om_id_equal(&a->peers[i].key, &b->peers[i].key));
        CHECK(om_addr_equal(&a->peers[i].addr, &b->peers[i].addr));
    }
}

OM_TEST(join_link_round_trips)
{
    char text[OM_JOIN_TEXT];
    struct om_join_link l = a_link(), back;

    for (unsigned peers = 0; peers <= OM_JOIN_PEERS_MAX; peers++) {
        l.peer_count = peers;
        size_t n = om_join_link_print(text, &l);
        CHECK_EQ(n, strlen(text));
        CHECK_OK(om_join_link_parse(&back, text, NULL));
        check_same(&l, &back);
    }
    l.has_admin = false;
    memset(l.admin, 0, sizeof l.admin);
    om_join_link_print(text, &l);
    CHECK_OK(om_join_link_parse(&back, text, NULL));
    check_same(&l, &back);
}

OM_TEST(join_link_of_an_open_network)
{
    char text[OM_JOIN_TEXT];
    struct om_join_link l = {.is_open = true, .authority = {{4}}, .epoch = 1, .secret = {7}}, back;
    struct om_join_link closed = l;
    struct om_id open_id, closed_id;

    om_join_link_print(text, &l);
    CHECK_OK(om_join_link_parse(&back, text, NULL));
    check_same(&l, &back);
    closed.is_open = false;
    om_join_link_network(&open_id, &l);
    om_join_link_network(&closed_id, &closed);
    CHECK(!om_id_equal(&open_id, &closed_id)); /* openness is part of its name */
}

OM_TEST(join_link_fits_a_screen)
{
    char text[OM_JOIN_TEXT];
    struct om_join_link l = a_link();

    CHECK(om_join_link_print(text, &l) <= 12 * 80);
    CHECK_EQ(strspn(text + strlen(OM_JOIN_SCHEME),
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
             strlen(text) - strlen(OM_JOIN_SCHEME));
}

OM_TEST(join_link_stands_spaces_and_breaks)
{
    char text[OM_JOIN_TEXT], mangled[2 * OM_JOIN_TEXT];
    struct om_join_link l = a_link(), back;
    size_t n = om_join_link_print(text, &l), m = 0;

    mangled[m++] = ' ';
    for (size_t i = 0; i < n; i++) {
        mangled[m++] = text[i];
        if (i % 70 == 69) {
            mangled[m++] = '\r';
            mangled[m++] = '\n';
        }
    }
    mangled[m++] = '\n';
    mangled[m] = '\0';
    CHECK_OK(om_join_link_parse(&back, mangled, NULL));
    check_same(&l, &back);
}

OM_TEST(join_link_notices_typos)
{
    char text[OM_JOIN_TEXT];
    struct om_join_link l = a_link(), out;
    size_t n = om_join_link_print(text, &l);

    for (size_t i = strlen(OM_JOIN_SCHEME); i < n; i++) {
        struct om_error err;
        char was = text[i];
        text[i] = was == 'x' ? 'y' : 'x';
        CHECK_EQ(om_join_link_parse(&out, text, &err), OM_E_PARSE);
        CHECK(!strstr(err.msg, text + strlen(OM_JOIN_SCHEME)));
        text[i] = was;
        if (i + 1 < n) { /* two letters swapped */
            char next = text[i + 1];
            text[i] = next;
            text[i + 1] = was;
            CHECK_EQ(om_join_link_parse(&out, text, NULL), was == next ? OM_OK : OM_E_PARSE);
            text[i] = was;
            text[i + 1] = next;
        }
    }
    CHECK_OK(om_join_link_parse(&out, text, NULL));
    for (; n > 0; n--) {
        text[n - 1] = '\0';
        CHECK(om_join_link_parse(&out, text, NULL) != OM_OK);
    }
}

/* @n bytes, with the checksum that they want, as a link. */
static enum om_err parse_bytes(uint8_t *bytes, size_t n)
{
    char text[OM_JOIN_TEXT] = OM_JOIN_SCHEME;
    uint8_t hash[crypto_generichash_BYTES];
    size_t head = strlen(text);
    struct om_join_link out;

    crypto_generichash(hash, sizeof hash, bytes, n, NULL, 0);
    memcpy(bytes + n, hash, OM_JOIN_CHECK_BYTES);
    sodium_bin2base64(text + head, sizeof text - head, bytes, n + OM_JOIN_CHECK_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return om_join_link_parse(&out, text, NULL);
}

OM_TEST(join_link_refuses_nonsense)
{
    uint8_t bytes[OM_JOIN_BYTES_MAX] = {1};

    CHECK_OK(parse_bytes(bytes, 69)); /* open, no peers */
    CHECK_EQ(parse_bytes(bytes, 68), OM_E_PARSE);
    CHECK_EQ(parse_bytes(bytes, 70), OM_E_PARSE);
    bytes[0] = 3; /* an open network has no admins */
    CHECK_EQ(parse_bytes(bytes, 69), OM_E_PARSE);
    bytes[0] = 1 | 16;
    CHECK_EQ(parse_bytes(bytes, 69), OM_E_PARSE);
    bytes[0] = 1 | 3 << 2;
    CHECK_EQ(parse_bytes(bytes, 69), OM_E_PARSE);
    CHECK_OK(parse_bytes(bytes, 69 + 3 * 50));
    CHECK_EQ(parse_bytes(bytes, 0), OM_E_PARSE);
}

OM_TEST(join_link_is_bounded)
{
    static char spaces[OM_JOIN_INPUT_MAX + 2];
    char text[OM_JOIN_TEXT + 1];
    struct om_join_link l = a_link(), out;
    size_t n = om_join_link_print(text, &l);

    CHECK_EQ(n, OM_JOIN_TEXT - 1); /* the longest */
    CHECK_OK(om_join_link_parse(&out, text, NULL));
    text[n] = 'A';
    text[n + 1] = '\0';
    CHECK_EQ(om_join_link_parse(&out, text, NULL), OM_E_RANGE);
    memset(spaces, ' ', sizeof spaces - 1);
    CHECK_EQ(om_join_link_parse(&out, spaces, NULL), OM_E_RANGE);
    CHECK_EQ(om_join_link_parse(&out, "", NULL), OM_E_RANGE);
}
