/* vm_up.c - waiting for a machine, by events of the daemon. */
#include "vm_up.h"

#include <stdio.h>
#include <string.h>

#include "vm_pick.h"

/* As long as a request waits, 600 s: a machine may boot under emulation on a busy machine. Between
 * two looks an event comes, if it does. */
#define LOOK_PATIENCE OM_SEC(5)
enum { LOOKS_MAX = 120 };

static const char *word_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

/* Does what is in @state run soon, if all goes well? */
static bool is_on_its_way(const char *state)
{
    static const char *const states[] = {"asking",   "requested", "preparing",
                                         "starting", "booting",   "lost"};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(states); i++)
        if (strcmp(state, states[i]) == 0)
            return true;
    return false;
}

static enum om_exit look(struct om_cli *cli, struct om_ask *ask, const char *word, json_t **out)
{
    struct om_error err;
    json_t *result;
    enum om_exit e = om_cli_call(cli, ask, "vm.list", NULL, &result);

    if (e)
        return e;
    const json_t *found = om_vm_pick(json_object_get(result, "vms"), word, &err);
    *out = found ? json_deep_copy(found) : NULL;
    json_decref(result);
    if (*out)
        return OM_EXIT_OK;
    om_out_error(&cli->out, "%s", found ? "out of memory" : err.msg);
    return OM_EXIT_USAGE;
}

/* Until machine @vm may be in another state than @state, in which it was when it was looked at. */
static enum om_exit wait_change(struct om_cli *cli, struct om_ask *ask, const char *vm,
                                const char *state)
{
    char shown[OM_OUT_TEXT_MAX], why[OM_OUT_TEXT_MAX];
    struct om_error err;
    json_t *event;

    for (;;) {
        enum om_exit e = om_ask_next_event(ask, LOOK_PATIENCE, &event, &err);
        if (e == OM_EXIT_TIMEOUT)
            return OM_EXIT_OK;
        if (e) {
            om_out_error(&cli->out, "%s", err.msg);
            return e;
        }
        bool is_mine =
            strcmp(word_of(event, "event"), "vm") == 0 && strcmp(word_of(event, "vm"), vm) == 0;
        bool is_gone = is_mine && strcmp(word_of(event, "state"), "gone") == 0;
        bool is_other = is_mine && strcmp(word_of(event, "state"), state) != 0;
        if (is_gone)
            om_out_error(&cli->out, "%s is gone: %s", om_out_escape(shown, vm),
                         om_out_escape(why, *word_of(event, "text") ? word_of(event, "text")
                                                                    : word_of(event, "end")));
        json_decref(event);
        if (is_other)
            return is_gone ? OM_EXIT_FAILED : OM_EXIT_OK;
    }
}

/* Looks, waits, and looks again: the events only say when. */
static enum om_exit find_up(struct om_cli *cli, struct om_ask *ask, const char *word, json_t **out)
{
    char vm[64] = "", state[OM_OUT_TEXT_MAX], shown[OM_OUT_TEXT_MAX];
    json_t *result;
    enum om_exit e =
        om_cli_call(cli, ask, "events.subscribe", json_pack("{s:[s]}", "kinds", "vm"), &result);

    if (e)
        return e;
    json_decref(result);
    for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
        e = look(cli, ask, *vm ? vm : word, out);
        if (e)
            return e;
        const char *is = word_of(*out, "state");
        if (strcmp(is, "running") == 0)
            return OM_EXIT_OK;
        (void)snprintf(state, sizeof state, "%s", is);
        if (!is_on_its_way(state)) {
            json_decref(*out);
            break;
        }
        if (!*vm) {
            (void)snprintf(vm, sizeof vm, "%.63s", word_of(*out, "vm"));
            om_out_error(&cli->out, "%s is %s: waiting until it runs", om_out_escape(shown, vm),
                         state);
        }
        json_decref(*out);
        e = wait_change(cli, ask, vm, state);
        if (e)
            return e;
    }
    om_out_error(&cli->out, "the machine is not running, but %s", om_out_escape(shown, state));
    return OM_EXIT_FAILED;
}

enum om_exit om_vm_find_up(struct om_cli *cli, const char *word, json_t **out)
{
    struct om_ask *ask;
    enum om_exit e = om_cli_open(cli, &ask);

    if (e)
        return e;
    e = find_up(cli, ask, word, out);
    om_ask_close(ask);
    return e;
}
