/* phase_move.c - 9, 14 and 17: addresses of the peer come and go, and ways to it. */
#include "phase.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "phase_all.h"
#include "interrupt.h"

enum {
    LEAD_MS = 1000,
    STAY_MS = 3000,
    QUICK_STAY_MS = 1500,
    COMMAND_BYTES = 512,
    POLL_MS = 100,
    WORD_BYTES = 64
};
enum { ADDED_MS = 1000, ENDS_MAX = 8 /* that a record names */ };

#define WAY_PATIENCE OM_SEC(20)

/* Of documentation (RFC 5737): nobody's. */
#define EXTRA_IP "192.0.2.77"
#define EXTRA    EXTRA_IP "/32"

/* Where the peer's default route leads, and its first address there. */
#define DEVICE                                                                                     \
    "dev=$(ip -o -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | head -n 1); "     \
    "[ -n \"$dev\" ] || { echo 'no default route'; exit 1; }; "
#define PLACE                                                                                      \
    DEVICE "via=$(ip -o -4 route show default | sed -n 's/.* via \\([^ ]*\\).*/\\1/p' | "          \
           "head -n 1); [ -n \"$via\" ] || { echo 'no gateway'; exit 1; }; "

/* The end of a silence is waited for, longer than it may last: one that is cut off by the end of
 * the phase would not be too long, whatever is allowed. */
static void want_silence(struct om_run *r, struct om_result *res, const char *figure, om_time from,
                         int most)
{
    om_time allowed = OM_MS(most + r->set.slack_ms);
    double ms;

    om_run_carried(r, om_pulse_now(&r->pulse), allowed + OM_MS(LEAD_MS));
    ms = om_series_silence(&r->pulse.series, from, om_pulse_now(&r->pulse));
    om_result_figure(res, figure, ms);
    om_result_want(res, ms <= (double)allowed / 1000, "silent for %.0f ms", ms);
}

/* What the daemon here was told of where the peer is: is the extra address among it? -1: it does
 * not say. @count is set to how many there are. */
static int names_extra(struct om_run *r, size_t *count)
{
    struct om_error err;
    json_t *list, *row, *end, *ends;
    int named = -1;
    size_t i, k;

    *count = 0;
    if (om_site_rpc(&r->here, "peers.list", json_pack("{s:s}", "network", r->network_here), NULL,
                    &list, &err))
        return -1;
    json_array_foreach(json_object_get(list, "peers"), i, row)
    {
        const char *id = json_string_value(json_object_get(row, "id"));
        if (!id || strcmp(id, r->peer) != 0)
            continue;
        ends = json_object_get(row, "endpoints");
        *count = json_array_size(ends);
        named = 0;
        json_array_foreach(ends, k, end)
        {
            const char *text = json_string_value(end);
            named |= text && strncmp(text, EXTRA_IP ":", sizeof EXTRA_IP) == 0;
        }
    }
    json_decref(list);
    return named;
}

/* The daemon here comes to know that the peer has the extra address, or has it no more; the figure
 * is how long that took. */
static void want_told(struct om_run *r, struct om_result *res, const char *figure, bool has_it)
{
    om_time from = om_clock_now(), until = from + OM_MS(OM_TOLD_MS + r->set.slack_ms);
    size_t count;
    bool is_told;

    while (!(is_told = names_extra(r, &count) == has_it) && om_clock_now() < until &&
           !om_interrupt_came())
        om_run_rest(r, POLL_MS);
    om_result_want(res, is_told, "the daemon here is not told that the address %s",
                   has_it ? "was added" : "is gone");
    om_result_figure(res, figure, (double)(om_clock_now() - from) / 1000);
}

static void say_address(struct om_result *res, bool has_room)
{
    double silent = json_number_value(json_object_get(res->figures, "silent_ms"));

    if (has_room)
        om_result_say(res, "told after %.0f ms, and after %.0f; silent for %.0f ms at most",
                      json_number_value(json_object_get(res->figures, "told_added_ms")),
                      json_number_value(json_object_get(res->figures, "told_removed_ms")), silent);
    else
        om_result_say(res,
                      "silent for %.0f ms at most; the peer tells of %d other addresses, "
                      "and of no more",
                      silent, ENDS_MAX);
}

void om_phase_address(struct om_run *r, struct om_result *res)
{
    struct om_error err;
    bool has_room;
    om_time from;
    size_t count;

    om_run_rest(r, LEAD_MS);
    om_result_want(res, names_extra(r, &count) == 0, "the peer has " EXTRA_IP " already");
    if (res->verdict != OM_VERDICT_HELD)
        return;
    has_room = count < ENDS_MAX;
    from = om_pulse_now(&r->pulse);
    if (!om_run_did(res,
                    om_site_run(&r->there,
                                DEVICE "ip address add " EXTRA " dev \"$dev\" && "
                                       "ip -o address show dev \"$dev\" | grep -qF " EXTRA,
                                DEVICE "ip address del " EXTRA " dev \"$dev\"", NULL, &err),
                    &err))
        return;
    om_result_mark(res, om_pulse_now(&r->pulse), "added");
    if (has_room)
        want_told(r, res, "told_added_ms", true);
    om_run_rest(r, om_run_ms(r, STAY_MS, QUICK_STAY_MS));
    om_run_did(res, om_site_back(&r->there, r->steps_there, &err), &err);
    om_result_mark(res, om_pulse_now(&r->pulse), "removed");
    if (has_room)
        want_told(r, res, "told_removed_ms", false);
    om_run_rest(r, om_run_ms(r, STAY_MS, QUICK_STAY_MS));
    om_run_whole(r, res);
    want_silence(r, res, "silent_ms", from, ADDED_MS);
    say_address(res, has_room);
}

/* ADDRESS/BITS of IPv4, and nothing that a shell would take for more. */
static bool is_address(const char *text)
{
    size_t n = strcspn(text, "/");
    char address[INET_ADDRSTRLEN];
    struct in_addr in;
    char *end = NULL;

    if (text[n] != '/' || n >= sizeof address || !isdigit((unsigned char)text[n + 1]))
        return false;
    memcpy(address, text, n);
    address[n] = 0;
    return inet_pton(AF_INET, address, &in) == 1 && strtoul(text + n + 1, &end, 10) <= 32 && !*end;
}

/* Where the peer is, as its own machine says: before anything of it is changed. */
struct place {
    char address[WORD_BYTES], dev[WORD_BYTES], via[WORD_BYTES];
};

/* Nothing that a shell would take for more than a word. */
static bool is_device(const char *text)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return *text && *text != '-' && strspn(text, good) == strlen(text);
}

static bool read_place(struct om_run *r, struct om_result *res, struct place *p)
{
    struct om_error err;
    struct in_addr in;
    json_t *is;
    int n;

    if (!om_run_did(res,
                    om_site_run(&r->there,
                                PLACE "ip -o -4 address show dev \"$dev\" scope global | "
                                      "sed -n 's/.* inet \\([^ ]*\\).*/\\1/p' | head -n 1; "
                                      "echo \"$dev\"; echo \"$via\"",
                                NULL, &is, &err),
                    &err))
        return false;
    n = sscanf(json_string_value(is), "%63s %63s %63s", p->address, p->dev, p->via);
    json_decref(is);
    om_result_want(res,
                   n == 3 && is_address(p->address) && is_device(p->dev) &&
                       inet_pton(AF_INET, p->via, &in) == 1,
                   "no IPv4 address with a gateway to swap at %s", r->set.peer);
    om_result_want(res, is_address(r->set.swap), "--swap %s: want ADDRESS/BITS", r->set.swap);
    return res->verdict == OM_VERDICT_HELD;
}

/* The peer moves from @p, and in the end back: with an address go the routes over it. The way back
 * asks nothing of a machine that may have no route just then, and does all it can. */
static bool move(struct om_run *r, struct om_result *res, const struct place *p)
{
    char go[COMMAND_BYTES], back[COMMAND_BYTES];
    struct om_error err;

    (void)snprintf(go, sizeof go,
                   "ip address del %s dev %s && ip address add %s dev %s && "
                   "ip route replace default via %s dev %s",
                   p->address, p->dev, r->set.swap, p->dev, p->via, p->dev);
    (void)snprintf(back, sizeof back,
                   "ip address del %s dev %s; ip address add %s dev %s; "
                   "ip route replace default via %s dev %s",
                   r->set.swap, p->dev, p->address, p->dev, p->via, p->dev);
    return om_run_did(res, om_site_run(&r->there, go, back, NULL, &err), &err);
}

/* After a move: how long it was silent since @from. */
static void want_moved(struct om_run *r, struct om_result *res, const char *figure, om_time from)
{
    om_run_carried(r, om_pulse_now(&r->pulse), WAY_PATIENCE);
    om_run_rest(r, om_run_ms(r, STAY_MS, QUICK_STAY_MS));
    want_silence(r, res, figure, from, OM_MOVE_MS);
}

void om_phase_swap(struct om_run *r, struct om_result *res)
{
    struct place place;
    struct om_error err;
    om_time from;

    if (!r->set.swap) {
        om_result_skip(res, "no address for the peer to move to (--swap ADDRESS/BITS)");
        return;
    }
    if (!read_place(r, res, &place))
        return;
    om_run_rest(r, LEAD_MS);
    from = om_pulse_now(&r->pulse);
    if (!move(r, res, &place))
        return;
    om_result_mark(res, om_pulse_now(&r->pulse), "moved");
    want_moved(r, res, "silent_away_ms", from);
    from = om_pulse_now(&r->pulse);
    om_run_did(res, om_site_back(&r->there, r->steps_there, &err), &err);
    om_result_mark(res, om_pulse_now(&r->pulse), "back");
    want_moved(r, res, "silent_back_ms", from);
    om_run_whole(r, res);
    om_result_say(res, "silent for %.0f ms, back %.0f ms",
                  json_number_value(json_object_get(res->figures, "silent_away_ms")),
                  json_number_value(json_object_get(res->figures, "silent_back_ms")));
}

/* A direct way: where it leads. */
struct way {
    char address[WORD_BYTES];
    unsigned long port;
};

/* @text, ADDRESS:PORT or [ADDRESS]:PORT; false: none. */
static bool read_way(const char *text, struct way *out)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;

    if (n < 3 || n >= sizeof out->address)
        return false;
    if (*text == '[') {
        text++;
        n -= 2;
    }
    memcpy(out->address, text, n);
    out->address[n] = 0;
    out->port = strtoul(colon + 1, NULL, 10);
    return out->address[strspn(out->address, "0123456789abcdef:.")] == 0;
}

/* The direct way in use, and how many ways are good; false: over a relay. */
static bool way_in_use(struct om_run *r, struct way *out, unsigned *good)
{
    json_t *why = om_run_way(r, &r->here), *path;
    bool is_found = false;
    size_t i;

    *good = 0;
    json_array_foreach(json_object_get(why, "paths"), i, path)
    {
        const char *state = json_string_value(json_object_get(path, "state"));
        const char *at = json_string_value(json_object_get(path, "address"));
        *good += state && strcmp(state, "valid") == 0;
        if (json_is_true(json_object_get(path, "active")) && at)
            is_found = read_way(at, out);
    }
    json_decref(why);
    return is_found;
}

/* Drops here what comes from @way and goes there. */
static bool cut(struct om_run *r, struct om_result *res, const struct way *way)
{
    const char *family = strchr(way->address, ':') ? "ip6" : "ip";
    char command[COMMAND_BYTES];
    struct om_error err;

    (void)snprintf(command, sizeof command,
                   "nft 'add table inet omerta_health"
                   "; add chain inet omerta_health in { type filter hook input priority -300; }"
                   "; add chain inet omerta_health out { type filter hook output priority -300; }"
                   "; add rule inet omerta_health in %s saddr %s udp sport %lu drop"
                   "; add rule inet omerta_health out %s daddr %s udp dport %lu drop'",
                   family, way->address, way->port, family, way->address, way->port);
    return om_run_did(
        res, om_site_run(&r->here, command, "nft delete table inet omerta_health", NULL, &err),
        &err);
}

/* Waits for a direct way in use and another beside it; false: @res is skipped. */
static bool has_two_ways(struct om_run *r, struct om_result *res, struct way *way)
{
    om_time until = om_clock_now() + WAY_PATIENCE + OM_MS(r->set.slack_ms);
    unsigned good = 0;
    bool is_direct = way_in_use(r, way, &good);

    while ((!is_direct || good < 2) && om_clock_now() < until && !om_interrupt_came()) {
        om_run_rest(r, POLL_MS);
        is_direct = way_in_use(r, way, &good);
    }
    if (!is_direct || good < 2)
        om_result_skip(res, "%s", is_direct ? "there is no second way" : "there is no direct way");
    return res->verdict == OM_VERDICT_HELD;
}

/* Another way than @was is used, as soon as another one carries: at most the silence later. */
static bool is_elsewhere(struct om_run *r, const struct way *was)
{
    om_time until = om_clock_now() + OM_MS(OM_FAILOVER_MS + r->set.slack_ms);
    struct way now;
    unsigned good;

    while (way_in_use(r, &now, &good) && strcmp(now.address, was->address) == 0 &&
           now.port == was->port) {
        if (om_clock_now() >= until || om_interrupt_came())
            return false;
        om_run_rest(r, POLL_MS);
    }
    return true;
}

void om_phase_ways(struct om_run *r, struct om_result *res)
{
    struct om_error err;
    struct way way;
    om_time from;

    if (!has_two_ways(r, res, &way))
        return;
    om_run_rest(r, LEAD_MS);
    from = om_pulse_now(&r->pulse);
    if (!cut(r, res, &way))
        return;
    om_result_mark(res, om_pulse_now(&r->pulse), "way cut");
    om_run_rest(r, om_run_ms(r, STAY_MS, QUICK_STAY_MS));
    want_silence(r, res, "silent_ms", from, OM_FAILOVER_MS);
    om_result_want(res, is_elsewhere(r, &way), "what was cut is still in use");
    om_run_did(res, om_site_back(&r->here, r->steps_here, &err), &err);
    om_result_mark(res, om_pulse_now(&r->pulse), "way open");
    om_run_whole(r, res);
    om_result_say(res, "another way carries after %.0f ms",
                  json_number_value(json_object_get(res->figures, "silent_ms")));
}
