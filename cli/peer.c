/* peer.c - ids before prefixes before names. */
#include "peer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <omerta/text.h>

enum { BEHIND_NAME = 6 /* letters of an id: ben-k3f9xa, where two are called ben */ };

const json_t *om_peer_list(const json_t *result)
{
    return json_is_array(result) ? result : json_object_get(result, "peers");
}

static const char *text_of(const json_t *peer, const char *field)
{
    const char *text = json_string_value(json_object_get(peer, field));

    return text ? text : "";
}

static bool begins(const char *text, const char *with, size_t n, bool any_case)
{
    return any_case ? strncasecmp(text, with, n) == 0 : strncmp(text, with, n) == 0;
}

/* Is @word NAME or NAME-ID, with the first letters of its id, of @peer, or that and .NETWORK? */
static bool fits_name(const json_t *peer, const char *word, bool any_case)
{
    const char *name = text_of(peer, "name"), *network = text_of(peer, "network"), *rest;
    size_t n = strlen(name);

    if (n == 0 || !begins(word, name, n, any_case))
        return false;
    rest = word + n;
    if (*rest == '-' && begins(rest + 1, text_of(peer, "id"), BEHIND_NAME, any_case))
        rest += 1 + BEHIND_NAME;
    return !*rest || (*rest == '.' && begins(rest + 1, network, strlen(network) + 1, any_case));
}

static bool fits(const json_t *peer, const char *word, bool any_case)
{
    size_t n = word ? strlen(word) : 0;

    if (!word)
        return true;
    if (fits_name(peer, word, any_case))
        return true;
    return n >= OM_PEER_PREFIX_MIN && begins(text_of(peer, "id"), word, n, any_case);
}

/* @others: there are peers of more than one network. */
static void add_candidate(char *list, size_t size, const json_t *peer, bool others)
{
    bool has_network = others && *text_of(peer, "name");
    char shown[OM_SHOW_TEXT];
    size_t at = strlen(list);

    om_text_show(shown, text_of(peer, "name"));
    snprintf(list + at, size - at, "%s%.10s%s%s%s%s%s", at ? ", " : "", text_of(peer, "id"),
             *shown ? " (" : "", shown, has_network ? "." : "",
             has_network ? text_of(peer, "network") : "", *shown ? ")" : "");
}

static bool is_of_several(const json_t *list)
{
    const json_t *peer;
    size_t i;

    json_array_foreach(list, i, peer) if (strcmp(text_of(peer, "network"),
                                                 text_of(json_array_get(list, 0), "network")) !=
                                          0) return true;
    return false;
}

/* How many of @list @word fits; the last of them to @found, all to @candidates. */
static unsigned count_fitting(const json_t *list, const char *word, bool any_case,
                              const json_t **found, char candidates[static OM_ERROR_MSG_MAX])
{
    const json_t *peer;
    unsigned count = 0;
    size_t i;

    json_array_foreach(list, i, peer) if (fits(peer, word, any_case))
    {
        if (!*found || strcmp(text_of(peer, "id"), text_of(*found, "id")) != 0)
            count++;
        *found = peer;
        add_candidate(candidates, OM_ERROR_MSG_MAX, peer, is_of_several(list));
    }
    return count;
}

enum om_err om_peer_pick(const json_t *list, const char *word, char out[static OM_ID_TEXT],
                         struct om_error *err)
{
    char shown[OM_SHOW_TEXT], candidates[OM_ERROR_MSG_MAX] = "";
    const json_t *found = NULL;
    struct om_id id;

    if (word && om_id_parse(&id, word, NULL) == OM_OK) {
        om_id_print(&id, out);
        return OM_OK;
    }
    unsigned count = count_fitting(list, word, false, &found, candidates);
    if (!count) /* as names of hosts are, and as the daemon reads them */
        count = count_fitting(list, word, true, &found, candidates);
    om_text_show(shown, word ? word : "");
    if (count > 1 && !word)
        return om_fail(err, OM_E_RANGE, "which peer? There are %s", candidates);
    if (count > 1)
        return om_fail(err, OM_E_RANGE, "\"%s\" may be %s", shown, candidates);
    if (!count && !word)
        return om_fail(err, OM_E_MISSING, "no peer is known yet");
    if (!count)
        return om_fail(err, OM_E_MISSING,
                       "no peer \"%s\": want an id, its first %d characters or more, or a name "
                       "(see `omerta peers`)",
                       shown, OM_PEER_PREFIX_MIN);
    if (om_id_parse(&id, text_of(found, "id"), NULL))
        return om_fail(err, OM_E_PARSE, "the daemon lists a peer without a valid id");
    om_id_print(&id, out);
    return OM_OK;
}

enum om_exit om_peer_find(struct om_cli *cli, struct om_ask *ask, const char *word,
                          char out[static OM_ID_TEXT])
{
    struct om_error err;
    json_t *result;
    enum om_exit e;
    enum om_err wrong;

    if (word && om_peer_pick(NULL, word, out, &err) == OM_OK)
        return OM_EXIT_OK;
    e = om_cli_call(cli, ask, "peers.list", om_cli_params(cli), &result);
    if (e)
        return e;
    wrong = om_peer_pick(om_peer_list(result), word, out, &err);
    json_decref(result);
    if (!wrong)
        return OM_EXIT_OK;
    om_out_error(&cli->out, "%s", err.msg);
    return OM_EXIT_USAGE;
}
