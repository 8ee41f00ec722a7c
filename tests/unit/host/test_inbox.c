/* test_inbox.c - messages that came and went. */
#include "harness.h"

#include <stdio.h>

#include "inbox.h"

static struct inbox_entry *put(struct inbox *b, unsigned number, enum inbox_state state)
{
    struct inbox_entry e = {.state = state, .at_ms = number, .peer = {{7}}};

    memcpy(e.id, &number, sizeof number);
    return inbox_add(b, &e, om_bytes("hello", 5));
}

OM_TEST(inbox_keeps_the_newest)
{
    struct inbox b;
    unsigned first = 1;
    uint8_t id[OM_MESSAGE_ID] = {0};
    const struct om_id peer = {{7}};

    inbox_init(&b);
    for (unsigned i = 1; i <= OM_INBOX_MAX + 1; i++)
        if (!put(&b, i, INBOX_CAME)) {
            inbox_fini(&b);
            return;
        }
    CHECK_EQ(b.count, OM_INBOX_MAX);
    memcpy(id, &first, sizeof first);
    CHECK(inbox_find(&b, &peer, id) == NULL);
    first = 2;
    memcpy(id, &first, sizeof first);
    const struct inbox_entry *e = inbox_find(&b, &peer, id);
    CHECK(e != NULL);
    CHECK_STR(e->bytes, "hello");
    inbox_fini(&b);
    CHECK_EQ(b.count, 0);
}

/* A network that anybody may be in talks all day; friends wrote once, in another. */
OM_TEST(inbox_of_a_crowd_leaves_the_others)
{
    const struct inbox_entry e = {.network = {{2}}, .peer = {{9}}, .id = {3}};
    struct inbox b;
    bool has_memory;

    inbox_init(&b);
    has_memory = inbox_add(&b, &e, om_bytes("dinner?", 7)) != NULL;
    for (unsigned i = 1; has_memory && i <= 2 * OM_INBOX_MAX; i++)
        has_memory = put(&b, i, INBOX_CAME) != NULL;
    if (has_memory) {
        CHECK_EQ(b.count, OM_INBOX_MAX);
        CHECK(inbox_find(&b, &e.peer, e.id) != NULL);
    }
    inbox_fini(&b);
}

OM_TEST(inbox_follows_receipts)
{
    struct om_act_receipt r = {.receipt = OM_RECEIPT_DELIVERED, .peer = {{7}}};
    unsigned number = 5;
    struct inbox b;

    inbox_init(&b);
    struct inbox_entry *e = put(&b, number, INBOX_SENT);
    if (!e)
        return;
    memcpy(r.id, &number, sizeof number);
    CHECK(inbox_receipt(&b, &r) == e);
    CHECK_STR(inbox_state_name(e->state), "delivered");
    r.receipt = OM_RECEIPT_REJECTED;
    (void)snprintf(r.reason, sizeof r.reason, "unwanted");
    CHECK(inbox_receipt(&b, &r) == e);
    CHECK_STR(inbox_state_name(e->state), "rejected");
    CHECK_STR(e->reason, "unwanted");
    r.peer.b[0] = 8; /* another peer's word counts for nothing */
    CHECK(inbox_receipt(&b, &r) == NULL);
    inbox_fini(&b);
}

OM_TEST(inbox_read_once)
{
    struct om_act_receipt r = {.receipt = OM_RECEIPT_READ, .peer = {{7}}};
    unsigned number = 5;
    struct inbox b;

    inbox_init(&b);
    struct inbox_entry *e = put(&b, number, INBOX_CAME);
    if (!e)
        return;
    memcpy(r.id, &number, sizeof number);
    CHECK(inbox_receipt(&b, &r) == NULL); /* it is theirs: they cannot read it for us */
    CHECK_EQ(e->state, INBOX_CAME);
    inbox_fini(&b);
}
