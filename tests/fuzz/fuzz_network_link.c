/*
 * fuzz_network_link.c - what people paste as the link of a network: any bytes
 *
 * What is accepted is printed and must be read as the same; what is not has a sentence without any
 * of it, and leaves nothing behind.
 */
#include <omerta/network_link.h>

#include <omerta/text.h>

#include "fuzz.h"

static void check_again(const struct om_network_link *l)
{
    char text[OM_NETWORK_LINK_TEXT];
    struct om_network_config c;
    struct om_network_link back;

    FUZZ_MUST(l->peer_count <= OM_NETWORK_PEERS_MAX);
    om_network_link_config(&c, l);
    FUZZ_MUST(om_id_equal(&c.id, &l->id) && !c.pins.is_on);
    FUZZ_MUST(c.open == (l->kind != OM_NETWORK_CLOSED));
    if (l->kind == OM_NETWORK_CLOSED || (l->kind == OM_NETWORK_DIRECT && !l->is_pinned))
        return; /* an authority writes the one, and nobody any more the old form of the other */
    FUZZ_MUST(om_network_link_print(text, l) == strlen(text));
    FUZZ_MUST(om_network_link_parse(&back, text, NULL) == OM_OK);
    FUZZ_MUST(back.kind == l->kind && om_id_equal(&back.id, &l->id) && back.epoch == l->epoch);
    FUZZ_MUST(memcmp(back.secret, l->secret, sizeof back.secret) == 0);
    FUZZ_MUST(back.peer_count == l->peer_count && back.is_pinned == l->is_pinned);
    for (unsigned i = 0; i < l->peer_count; i++)
        FUZZ_MUST(om_id_equal(&back.peers[i].key, &l->peers[i].key) &&
                  om_addr_equal(&back.peers[i].addr, &l->peers[i].addr));
}

int fuzz_one(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct om_network_link l, untouched;
    struct om_error err = {0};

    memset(&l, 0x5a, sizeof l);
    untouched = l;
    enum om_err e = om_network_link_parse(&l, text, &err);
    if (e == OM_OK) {
        check_again(&l);
    } else {
        FUZZ_MUST(e == OM_E_PARSE || e == OM_E_RANGE);
        FUZZ_MUST(err.code == e && err.msg[0] != '\0');
        FUZZ_MUST(om_text_is_utf8(om_bytes(err.msg, strlen(err.msg))));
        FUZZ_MUST(fuzz_same(&l, &untouched, sizeof l));
    }
    free(text);
    return 0;
}
