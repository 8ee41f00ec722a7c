/*
 * fuzz_bootstrap.c - what people type as a first peer: any bytes
 *
 * What is accepted is written again and must be read as the same; what is not has a sentence.
 */
#include "bootstrap.h"

#include <omerta/text.h>

#include "fuzz.h"

enum { AGAIN = 3 * OM_ID_TEXT + OM_HOST_TEXT };

static void write_again(char out[static AGAIN], const struct om_bootstrap *b)
{
    char id[OM_ID_TEXT];
    bool is_v6 = strchr(b->host, ':') != NULL;

    int n =
        snprintf(out, AGAIN, "%s%s%s@%s%s%s:%u", b->network, b->network[0] ? "/" : "",
                 om_id_print(&b->peer, id), is_v6 ? "[" : "", b->host, is_v6 ? "]" : "", b->port);
    FUZZ_MUST(n > 0 && n < AGAIN);
}

static void check_again(const struct om_bootstrap *b)
{
    char text[AGAIN];
    struct om_bootstrap c;

    FUZZ_MUST(b->port != 0 && b->host[0] != '\0');
    write_again(text, b);
    FUZZ_MUST(om_bootstrap_parse(&c, text, NULL) == OM_OK);
    FUZZ_MUST(om_id_equal(&c.peer, &b->peer) && c.port == b->port);
    FUZZ_MUST(strcmp(c.host, b->host) == 0 && strcmp(c.network, b->network) == 0);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct om_bootstrap b, untouched;
    struct om_error err = {0};

    memset(&b, 0x5a, sizeof b);
    untouched = b;
    enum om_err e = om_bootstrap_parse(&b, text, &err);
    if (e == OM_OK) {
        check_again(&b);
    } else {
        FUZZ_MUST(e == OM_E_PARSE && err.code == e && err.msg[0] != '\0');
        FUZZ_MUST(om_text_is_utf8(om_bytes(err.msg, strlen(err.msg))));
        FUZZ_MUST(fuzz_same(&b, &untouched, sizeof b));
    }
    free(text);
    return 0;
}
