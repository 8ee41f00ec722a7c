/* test_paths_hole.c - paths that fall silent, and come back. */
#include "harness.h"

#include "path_world.h"

/* Data over a path that swallows it: the driver says so after om_path_wait(). */
static void stall(struct world *w)
{
    om_paths_used(&w->ps, w->now);
    pass(w, (unsigned)((om_path_wait(om_paths_active(&w->ps)) + 999) / 1000));
    om_paths_stalled(&w->ps, w->now);
    drain(w);
}

OM_TEST(paths_leave_a_black_hole)
{
    /* Without a hole; with one; and one challenge lost, which is none. */
    for (unsigned c = 0; c < 3; c++) {
        struct world w;
        bool is_hole = c == 1;
        const struct om_via *one = settled(&w, 50), *two = way(&w, 130, 0);
        const struct om_via *trap = way(&w, 60, 0);
        om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
        om_paths_add(&w.ps, w.now, trap, OM_PATH_SAID);
        pass_busy(&w, 3000);
        CHECK(carries(&w, one));
        way_of(&w, trap)->rtt = OM_NEVER; /* the next best is dead, too */
        way_of(&w, one)->rtt = c > 0 ? OM_NEVER : way_of(&w, one)->rtt;
        stall(&w);
        way_of(&w, one)->rtt = is_hole ? OM_NEVER : OM_MS(50);
        om_time at = w.now;
        CHECK(om_paths_copy(&w.ps, w.now, 1200)); /* at once */
        pass_busy(&w, 200);
        if (is_hole) {
            CHECK(carries(&w, two));
            CHECK_EQ(w.why, OM_PATHS_SILENT);
            CHECK(w.moved_at - at <= OM_MS(200));
        } else {
            CHECK(carries(&w, one));
            CHECK(!om_paths_copy(&w.ps, w.now, 1200));
        }
        CHECK_EQ(w.ps.moves, is_hole);
        CHECK_EQ(w.ps.suspect_at, OM_NEVER);
    }
}

OM_TEST(paths_one_way_black_hole)
{
    struct world w;
    const struct om_via *one = settled(&w, 50), *two = way(&w, 90, 0);

    om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
    pass_busy(&w, 3000);
    way_of(&w, one)->rtt = OM_NEVER; /* what we send is lost; the peer is still heard over it */
    for (unsigned i = 0; i < 6; i++) {
        om_paths_heard(&w.ps, w.now, one, 1000, true);
        pass_busy(&w, 10);
    }
    CHECK(carries(&w, one));
    om_paths_stalled(&w.ps, w.now);
    for (unsigned i = 0; i < 20; i++) {
        om_paths_heard(&w.ps, w.now, one, 1000, true);
        pass_busy(&w, 10);
    }
    CHECK(carries(&w, two));
    for (unsigned i = 0; i < 300; i++) { /* that it is heard does not bring us back */
        om_paths_heard(&w.ps, w.now, one, 1000, true);
        pass_busy(&w, 10);
    }
    CHECK(carries(&w, two));
    CHECK_EQ(w.ps.moves, 1);

    /* The other way: our data arrives, the peer went elsewhere, and does not answer here. */
    one = settled(&w, 50), two = way(&w, 90, 0);
    om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
    pass_busy(&w, 15000);
    way_of(&w, one)->rtt = OM_NEVER;
    for (unsigned i = 0; i < 100; i++) {
        om_paths_heard(&w.ps, w.now, two, 1000, true);
        pass_busy(&w, 10);
    }
    CHECK(carries(&w, two));
    CHECK_EQ(w.why, OM_PATHS_SILENT);
}

OM_TEST(paths_with_no_other_way_stay)
{
    struct world w;
    const struct om_via *one = settled(&w, 50), *shut = way(&w, 0, 0);

    way_of(&w, one)->rtt = OM_NEVER;
    stall(&w);
    pass_busy(&w, 1000);
    CHECK(carries(&w, one));
    om_paths_add(&w.ps, w.now, shut, OM_PATH_SAID);
    stall(&w);
    pass_busy(&w, 20000);
    CHECK(carries(&w, one)); /* for better or worse */
    CHECK_EQ(w.ps.moves, 0);
    /* The control: another way appears. */
    const struct om_via *open = way(&w, 60, 0);
    om_paths_add(&w.ps, w.now, open, OM_PATH_SAID);
    pass_busy(&w, 1000);
    CHECK(carries(&w, open));
}

OM_TEST(paths_come_back_after_a_blackout)
{
    struct world w;
    const struct om_via *one = settled(&w, 50), *two = way(&w, 90, 0);

    om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
    pass_busy(&w, 3000);
    way_of(&w, one)->rtt = way_of(&w, two)->rtt = OM_NEVER;
    stall(&w);
    pass_busy(&w, 60000);
    CHECK_EQ(om_paths_find(&w.ps, one)->state, OM_PATH_FAILED);
    CHECK_EQ(om_paths_find(&w.ps, two)->state, OM_PATH_FAILED);
    unsigned asked = w.asked;
    pass_busy(&w, 60000);
    CHECK(w.asked - asked >= 40 && w.asked - asked <= 60); /* 2 paths, every 2 s and a wait */
    way_of(&w, two)->rtt = OM_MS(90);
    pass_busy(&w, 3000);
    CHECK(carries(&w, two));
    CHECK_EQ(w.why, OM_PATHS_SILENT);
    way_of(&w, one)->rtt = OM_MS(50);
    pass_busy(&w, 120000);
    CHECK_EQ(om_paths_find(&w.ps, one)->state, OM_PATH_VALID);
}
