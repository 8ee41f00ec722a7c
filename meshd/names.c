/* names.c - from keys to names. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "control/parts.h"

#define NAMELESS "node"

static int by_key(const void *a, const void *b)
{
    const struct om_named *x = a, *y = b;

    return om_id_cmp(&x->key, &y->key);
}

void names_load(struct names *out, const struct om_daemon *d, const struct daemon_network *net)
{
    struct om_node *n = daemon_node(d);

    *out = (struct names){.d = d, .network = net->id, .is_signed = net->is_closed};
    if (!net->is_closed)
        return;
    unsigned room = om_node_names(n, &net->id, NULL, 0);
    out->all = calloc(room + 1U, sizeof *out->all);
    if (!out->all)
        return;
    unsigned count = om_node_names(n, &net->id, out->all, room);
    out->count = count < room ? count : room;
    qsort(out->all, out->count, sizeof *out->all, by_key);
}

void names_free(struct names *n)
{
    free(n->all);
    n->all = NULL;
    n->count = 0;
}

const char *names_find(const struct names *n, const struct om_id *peer, char out[static NAMES_TEXT])
{
    const struct om_named wanted = {.key = *peer};
    struct om_announce a;

    out[0] = '\0';
    if (n->count > 0) {
        const struct om_named *found = bsearch(&wanted, n->all, n->count, sizeof *n->all, by_key);
        if (found)
            memcpy(out, found->name, sizeof found->name);
    } else if (!n->is_signed &&
               om_node_record(daemon_node(n->d), &n->network, peer, &a, NULL) == OM_OK) {
        memcpy(out, a.name, sizeof a.name);
    }
    return out;
}

const char *names_of(const struct om_daemon *d, const struct om_id *network,
                     const struct om_id *peer, char out[static NAMES_TEXT])
{
    const struct daemon_network *net = daemon_network(d, network);
    struct names n;

    out[0] = '\0';
    if (!net)
        return out;
    names_load(&n, d, net);
    (void)names_find(&n, peer, out);
    names_free(&n);
    return out;
}

/* What is no letter, digit or "-" becomes "-", and what may not begin or end a name goes. */
static void make_safe(const char *text, char out[static OM_MEMBER_NAME_MAX + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz",
                      capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n = 0;

    for (; *text && n < OM_MEMBER_NAME_MAX; text++) {
        const char *letter = strchr(letters, *text), *capital = strchr(capitals, *text);
        if (capital)
            letter = letters + (capital - capitals);
        if (n == 0 && !letter)
            continue;
        if (!letter)
            letter = *text >= '0' && *text <= '9' ? text : "-";
        out[n++] = *letter;
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    if (n == 0 || strcmp(out, CONTROL_SELF) == 0)
        memcpy(out, NAMELESS, sizeof NAMELESS);
}

bool names_has_others(const struct om_daemon *d)
{
    unsigned n = d->joining_count;

    for (unsigned i = 0; i < d->network_count; i++)
        n += !d->networks[i].is_default;
    return n > 0;
}

const char *names_own(const struct om_daemon *d, const struct daemon_network *net,
                      char out[static OM_NAME_MAX + 1])
{
    out[0] = '\0';
    if (*d->config.name || !net->is_shy)
        om_config_name(&d->config, out);
    return out;
}

bool names_wish(const struct om_daemon *d, const char *as, char out[static OM_MEMBER_NAME_MAX + 1],
                struct om_error *err)
{
    char own[OM_NAME_MAX + 1], shown[OM_SHOW_TEXT];
    size_t n = as ? strlen(as) : 0;

    if (!as) {
        bool is_told = *d->config.name || !names_has_others(d);
        make_safe(is_told ? om_config_name(&d->config, own) : NAMELESS, out);
        return true;
    }
    if (!om_cert_is_name(as, n) || strcmp(as, CONTROL_SELF) == 0)
        return om_fail(err, OM_E_RANGE,
                       "\"%s\": want a-z, 0-9 and \"-\" within, a letter first, at most %d, and "
                       "not \"" CONTROL_SELF "\", to be called so",
                       om_text_show(shown, as), OM_MEMBER_NAME_MAX) == OM_OK;
    memcpy(out, as, n + 1);
    return true;
}
