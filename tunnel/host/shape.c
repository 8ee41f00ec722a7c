/* shape.c - a shaper with a timer. */
#include "tunnel/host/shape.h"

#include <stdlib.h>

#include "host/clock.h"

struct om_shape {
    struct om_shaper shaper;
    uv_timer_t timer;
    om_time asked; /* when om_shape_room() last was */
    bool is_calling;
};

static void on_timer(uv_timer_t *t);

/* Has the timer ring when the next turn comes. */
static void arm(struct om_shape *s)
{
    om_time now = om_clock_now(), when = om_shaper_when(&s->shaper, now);

    if (s->is_calling)
        return; /* it is done after the last of them */
    if (when == OM_NEVER) {
        (void)uv_timer_stop(&s->timer);
        return;
    }
    uint64_t ms = when > now ? (uint64_t)(when - now + OM_MS(1) - 1) / OM_MS(1) : 0;
    (void)uv_timer_start(&s->timer, on_timer, ms > 0 ? ms : 1, 0);
}

static void on_timer(uv_timer_t *t)
{
    struct om_shape *s = t->data;
    struct om_shaper_user *u;

    s->is_calling = true;
    while ((u = om_shaper_next(&s->shaper, om_clock_now())) != NULL) {
        struct om_shape_user *user = OM_CONTAINER_OF(u, struct om_shape_user, user);
        user->on_turn(user);
    }
    s->is_calling = false;
    arm(s);
}

enum om_err om_shape_new(struct om_shape **out, uv_loop_t *loop, uint32_t rate)
{
    struct om_shape *s = calloc(1, sizeof *s);

    if (!s)
        return OM_E_NO_MEM;
    if (uv_timer_init(loop, &s->timer) < 0) {
        free(s);
        return OM_E_NO_MEM;
    }
    s->timer.data = s;
    om_shaper_init(&s->shaper, rate, om_clock_now());
    *out = s;
    return OM_OK;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void om_shape_free(struct om_shape *s)
{
    if (!s)
        return;
    OM_BUG_IF(!om_list_is_empty(&s->shaper.waiting));
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

size_t om_shape_room(struct om_shape *s, struct om_shape_user *u, size_t want)
{
    s->asked = om_clock_now();
    uint32_t room = om_shaper_room(&s->shaper, &u->user, s->asked, want);
    if (room == 0 && !uv_is_active((uv_handle_t *)&s->timer))
        arm(s);
    return room;
}

void om_shape_took(struct om_shape *s, struct om_shape_user *u, size_t n)
{
    bool waited = om_link_is_linked(&u->user.link);

    om_shaper_took(&s->shaper, &u->user, s->asked, (uint32_t)n);
    if (waited)
        arm(s);
}

void om_shape_leave(struct om_shape *s, struct om_shape_user *u)
{
    if (!om_link_is_linked(&u->user.link))
        return;
    om_shaper_leave(&u->user);
    arm(s);
}

bool om_shape_pass(struct om_shape *s, size_t n)
{
    return om_shaper_pass(&s->shaper, om_clock_now(), (uint32_t)n);
}
