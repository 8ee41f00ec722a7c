/* reputation.c - a short table of deviations that shrink by the day. */
#include "vm/core/reputation.h"

#include <stdio.h>
#include <stdlib.h>

#include "vm/core/fields.h"

enum {
    MILLI = 1000,
    MOST = OM_VM_REPUTATION_NEUTRAL * MILLI,
    KEPT_PERCENT = 95, /* of the deviation after a day: half of it is gone after a fortnight */
    DAYS_MAX = 400     /* after which nothing is left of it */
};

static const int64_t day_ms = 86400000;

static const int points[] = {
#define X(code, points) points,
    OM_VM_OUTCOMES(X)
#undef X
};
static_assert(OM_ARRAY_SIZE(points) == OM_VM_OUTCOME_COUNT, "points for each");

static int32_t decayed(const struct om_vm_standing *s, int64_t day)
{
    int64_t days = day - s->day, milli = s->milli;

    if (days > DAYS_MAX)
        return 0;
    for (; days > 0; days--)
        milli = milli * KEPT_PERCENT / 100;
    return (int32_t)milli;
}

static int find(const struct om_vm_reputation *r, const struct om_id *peer)
{
    for (unsigned i = 0; i < r->count; i++)
        if (om_id_equal(&r->row[i].peer, peer))
            return (int)i;
    return -1;
}

unsigned om_vm_reputation_of(const struct om_vm_reputation *r, const struct om_id *peer,
                             struct om_wall now)
{
    int at = find(r, peer);

    if (at < 0)
        return OM_VM_REPUTATION_NEUTRAL;
    return (unsigned)((MOST + decayed(&r->row[at], now.unix_ms / day_ms)) / MILLI);
}

/* A row for somebody new: a free one, or that of who is nearest to neutral. */
static struct om_vm_standing *make_room(struct om_vm_reputation *r, int64_t day)
{
    struct om_vm_standing *least = &r->row[0];

    if (r->count < OM_VM_REPUTATION_MAX)
        return &r->row[r->count++];
    for (unsigned i = 1; i < r->count; i++)
        if (abs(decayed(&r->row[i], day)) < abs(decayed(least, day)))
            least = &r->row[i];
    return least;
}

void om_vm_reputation_note(struct om_vm_reputation *r, const struct om_id *peer, struct om_wall now,
                           enum om_vm_outcome o)
{
    int64_t day = now.unix_ms / day_ms;
    int at = find(r, peer);
    struct om_vm_standing *s = at >= 0 ? &r->row[at] : make_room(r, day);

    if (at < 0)
        *s = (struct om_vm_standing){.peer = *peer, .day = day};
    int32_t milli = decayed(s, day) + points[o] * MILLI;
    if (milli > MOST)
        milli = MOST;
    if (milli < -MOST)
        milli = -MOST;
    s->milli = milli;
    s->day = day > s->day ? day : s->day; /* a clock set back takes no decay away */
}

static enum om_err read_row(struct om_vm_standing *s, const json_t *o, size_t i,
                            struct om_error *err)
{
    char where[32], id[OM_ID_TEXT] = "";
    struct om_vm_fields f;
    uint64_t points_of = 0, day = 0;

    (void)snprintf(where, sizeof where, "reputation[%zu]", i);
    om_vm_fields_open(&f, o, where, err);
    bool is_whole = om_vm_fields_text(&f, "peer", id, sizeof id);
    is_whole &= om_vm_fields_number(&f, "millipoints", 0, 2 * (uint64_t)MOST, &points_of);
    is_whole &= om_vm_fields_number(&f, "day", 0, 1 << 24, &day);
    if (!is_whole)
        om_vm_fields_fail(&f, NULL, "want peer, millipoints and day");
    else if (om_id_parse(&s->peer, id, NULL) != OM_OK)
        om_vm_fields_fail(&f, "peer", "want a peer's id");
    s->milli = (int32_t)points_of - MOST;
    s->day = (int64_t)day;
    return om_vm_fields_done(&f);
}

enum om_err om_vm_reputation_read(struct om_vm_reputation *out, const json_t *o,
                                  struct om_error *err)
{
    size_t n = json_array_size(o);
    enum om_err e = OM_OK;

    if (!json_is_array(o) || n > OM_VM_REPUTATION_MAX)
        return om_fail(err, OM_E_PARSE, "reputation: want a list of at most %d peers",
                       OM_VM_REPUTATION_MAX);
    struct om_vm_reputation *r = calloc(1, sizeof *r);
    if (!r)
        return om_fail(err, OM_E_NO_MEM, "no memory");
    for (size_t i = 0; e == OM_OK && i < n; i++) {
        e = read_row(&r->row[i], json_array_get(o, i), i, err);
        if (e == OM_OK && find(r, &r->row[i].peer) >= 0)
            e = om_fail(err, OM_E_PARSE, "reputation[%zu]: this peer is there twice", i);
        r->count++;
    }
    if (e == OM_OK)
        *out = *r;
    free(r);
    return e;
}

json_t *om_vm_reputation_write(const struct om_vm_reputation *r)
{
    json_t *list = json_array();

    for (unsigned i = 0; list && i < r->count; i++) {
        const struct om_vm_standing *s = &r->row[i];
        char id[OM_ID_TEXT];
        json_t *o = json_pack("{s:s, s:i, s:I}", "peer", om_id_print(&s->peer, id), "millipoints",
                              (int)(s->milli + MOST), "day", (json_int_t)s->day);
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}
