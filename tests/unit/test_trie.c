/* test_trie.c - longest prefix match. */
#include "harness.h"

#include <arpa/inet.h>
#include <stdio.h>

#include <omerta/trie.h>

/* 16 bytes of an address text; four dots make it a mapped one. */
static const uint8_t *ip(const char *text)
{
    static uint8_t bytes[4][16];
    static unsigned turn;
    uint8_t *to = bytes[turn++ % 4];

    memset(to, 0, 16);
    if (strchr(text, ':')) {
        CHECK_EQ(inet_pton(AF_INET6, text, to), 1);
    } else {
        to[10] = to[11] = 0xff;
        CHECK_EQ(inet_pton(AF_INET, text, to + 12), 1);
    }
    return to;
}

/* Values are texts, so that a failure says which prefix answered. */
static enum om_err put(struct om_trie *t, const char *address, unsigned bits, const char *value)
{
    return om_trie_put(t, ip(address), bits, (void *)(uintptr_t)value);
}

static const char *find(const struct om_trie *t, const char *address)
{
    const char *value = om_trie_find(t, ip(address));

    return value ? value : "none";
}

OM_TEST(trie_finds_the_longest_prefix)
{
    struct om_trie t;

    CHECK_OK(om_trie_init(&t, 10));
    CHECK_STR(find(&t, "10.1.2.3"), "none");
    OM_TRY(put(&t, "10.1.2.3", 128, "host") == OM_OK);
    OM_TRY(put(&t, "10.0.0.0", 96 + 8, "ten") == OM_OK);
    OM_TRY(put(&t, "10.1.255.255", 96 + 16, "ten one") == OM_OK); /* host bits are cut */
    OM_TRY(put(&t, "10.1.2.128", 96 + 25, "half") == OM_OK);
    CHECK_STR(find(&t, "10.1.2.3"), "host");
    CHECK_STR(find(&t, "10.1.2.4"), "ten one");
    CHECK_STR(find(&t, "10.1.2.129"), "half");
    CHECK_STR(find(&t, "10.2.0.0"), "ten");
    CHECK_STR(find(&t, "11.0.0.0"), "none");
    CHECK_STR(om_trie_exact(&t, ip("10.1.0.0"), 96 + 16), "ten one");
    CHECK(om_trie_exact(&t, ip("10.1.0.0"), 96 + 17) == NULL);
    CHECK(om_trie_exact(&t, ip("10.1.0.0"), 129) == NULL);
    CHECK(om_trie_remove(&t, ip("10.1.2.0"), 96 + 24) == NULL); /* a fork, not an entry */
    CHECK_STR(om_trie_remove(&t, ip("10.1.0.0"), 96 + 16), "ten one");
    CHECK_STR(find(&t, "10.1.2.4"), "ten");
    CHECK_STR(find(&t, "10.1.2.3"), "host");
    CHECK_EQ(om_trie_count(&t), 3);
out:
    om_trie_fini(&t);
}

OM_TEST(trie_keeps_families_apart)
{
    struct om_trie t;

    CHECK_OK(om_trie_init(&t, 10));
    OM_TRY(put(&t, "0.0.0.0", 96, "all v4") == OM_OK);
    OM_TRY(put(&t, "2001:db8::", 32, "doc") == OM_OK);
    CHECK_STR(find(&t, "192.0.2.1"), "all v4");
    CHECK_STR(find(&t, "::1"), "none");
    CHECK_STR(find(&t, "2001:db8:1::1"), "doc");
    CHECK_STR(find(&t, "2001:db9::1"), "none");
    OM_TRY(put(&t, "::", 0, "all") == OM_OK);
    CHECK_STR(find(&t, "::1"), "all");
    CHECK_STR(find(&t, "ffff::"), "all");
    CHECK_STR(find(&t, "192.0.2.1"), "all v4");
    CHECK_STR(om_trie_remove(&t, ip("::"), 0), "all");
    CHECK_STR(find(&t, "ffff::"), "none");
out:
    om_trie_fini(&t);
}

OM_TEST(trie_refusal_changes_nothing)
{
    struct om_trie t;

    CHECK_ERR(om_trie_init(&t, 0), OM_E_RANGE);
    CHECK_ERR(om_trie_init(&t, OM_TRIE_MAX + 1), OM_E_RANGE);
    CHECK_ERR(put(&t, "::", 0, "x"), OM_E_FULL);
    CHECK_OK(om_trie_init(&t, 2));
    OM_TRY(put(&t, "10.0.0.0", 104, "a") == OM_OK);
    OM_TRY(put(&t, "11.0.0.0", 104, "b") == OM_OK);
    CHECK_ERR(put(&t, "10.0.0.0", 129, "c"), OM_E_RANGE);
    CHECK_ERR(put(&t, "10.9.9.9", 104, "c"), OM_E_EXISTS);
    CHECK_ERR(put(&t, "12.0.0.0", 104, "c"), OM_E_FULL);
    CHECK_ERR(put(&t, "10.0.0.0", 103, "c"), OM_E_FULL); /* where the fork is */
    CHECK_STR(find(&t, "10.9.9.9"), "a");
    CHECK_STR(find(&t, "12.0.0.0"), "none");
    CHECK_EQ(om_trie_count(&t), 2);
    CHECK_STR(om_trie_remove(&t, ip("11.0.0.0"), 104), "b");
    OM_TRY(put(&t, "10.0.0.0", 103, "c") == OM_OK);
    CHECK_STR(find(&t, "11.0.0.0"), "c");
out:
    om_trie_fini(&t);
}

/* "value value ..." of a walk, dropping each entry when @drops. */
static void walk(struct om_trie *t, bool drops, char out[static 64])
{
    struct om_trie_entry e = {0};
    size_t n = 0;

    out[0] = '\0';
    while (om_trie_next(t, &e)) {
        n += (size_t)snprintf(out + n, 64 - n, "%s ", (const char *)e.value);
        CHECK(om_trie_exact(t, e.ip, e.bits) == e.value);
        if (drops)
            CHECK(om_trie_remove(t, e.ip, e.bits) == e.value);
    }
}

OM_TEST(trie_walks_in_prefix_order)
{
    struct om_trie t;
    char text[64];

    CHECK_OK(om_trie_init(&t, 10));
    walk(&t, false, text);
    CHECK_STR(text, "");
    OM_TRY(put(&t, "11.0.0.0", 104, "f") == OM_OK);
    OM_TRY(put(&t, "10.0.0.0", 128, "d") == OM_OK);
    OM_TRY(put(&t, "2001:db8::", 32, "g") == OM_OK);
    OM_TRY(put(&t, "10.0.0.0", 104, "c") == OM_OK);
    OM_TRY(put(&t, "10.128.0.0", 105, "e") == OM_OK);
    OM_TRY(put(&t, "::", 0, "a") == OM_OK);
    OM_TRY(put(&t, "::", 128, "b") == OM_OK);
    walk(&t, false, text);
    CHECK_STR(text, "a b c d e f g ");
out:
    om_trie_fini(&t);
}

OM_TEST(trie_walk_survives_changes)
{
    struct om_trie_entry e = {0};
    struct om_trie t;
    char text[64];

    CHECK_OK(om_trie_init(&t, 10));
    OM_TRY(put(&t, "10.0.0.0", 104, "a") == OM_OK);
    OM_TRY(put(&t, "10.0.0.0", 128, "b") == OM_OK);
    OM_TRY(put(&t, "10.128.0.0", 105, "c") == OM_OK);
    OM_TRY(put(&t, "12.0.0.0", 104, "d") == OM_OK);
    CHECK(om_trie_next(&t, &e) && om_trie_next(&t, &e));
    CHECK_STR(e.value, "b");
    CHECK(om_trie_remove(&t, e.ip, e.bits) && om_trie_remove(&t, ip("10.128.0.0"), 105));
    OM_TRY(put(&t, "11.0.0.0", 104, "x") == OM_OK);
    CHECK(om_trie_next(&t, &e));
    CHECK_STR(e.value, "x");
    CHECK(om_trie_next(&t, &e));
    CHECK_STR(e.value, "d");
    CHECK(!om_trie_next(&t, &e));
    walk(&t, true, text);
    CHECK_STR(text, "a x d ");
    CHECK_EQ(om_trie_count(&t), 0);
out:
    om_trie_fini(&t);
}
