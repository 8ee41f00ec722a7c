/* model_vm.c - a VM in a world that fails, is late, and tells anything at any moment. */
#include "harness.h"

#include "dice.h"
#include "vm/core/vm.h"

enum { RUNS = 20000, STEPS = 400, SOON_MAX = 32, LONG_S = 3 * 3600 };

struct soon {
    om_time at;
    enum om_vm_input_kind kind;
};

/* What the machine's actions did, kept apart from what it believes. */
struct world {
    struct dice d;
    struct om_vm v;
    om_time now;
    unsigned faults; /* one answer in so many is wrong, late or never comes; 0: none */
    unsigned quota, files, processes, links;
    unsigned given_back, prepares, spawns;
    bool is_ready;
    unsigned soons;
    struct soon soon[SOON_MAX];
};

static unsigned states[OM_VM_STATE_COUNT], ends[OM_VM_END_COUNT], falls; /* seen */

static bool is_fault(struct world *w)
{
    return w->faults && dice_below(&w->d, w->faults) == 0;
}

static void later(struct world *w, enum om_vm_input_kind kind, unsigned most_ms)
{
    OM_BUG_IF(w->soons == SOON_MAX);
    om_time wait = OM_MS(dice_below(&w->d, most_ms));
    if (is_fault(w))
        wait = OM_SEC(dice_below(&w->d, 900)); /* beyond any deadline */
    w->soon[w->soons++] = (struct soon){w->now + wait, kind};
}

static void drop(struct world *w, enum om_vm_input_kind kind)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->soons; i++)
        if (w->soon[i].kind != kind)
            w->soon[n++] = w->soon[i];
    w->soons = n;
}

/* A killed process ends soon, or late, but it ends. */
static void kill_one(struct world *w)
{
    if (w->processes == 0)
        return;
    drop(w, OM_VM_IN_EXITED);
    later(w, OM_VM_IN_EXITED, 50);
}

static void act_more(struct world *w, const struct om_vm_act *a)
{
    switch (a->kind) {
    case OM_VM_ACT_CONNECT:
        CHECK(w->processes == 1 && w->links == 0);
        w->links = 1;
        later(w, OM_VM_IN_QMP, 200);
        break;
    case OM_VM_ACT_CONNECT_QMP:
        CHECK(w->links == 1 && !w->is_ready);
        later(w, OM_VM_IN_QMP, 200);
        break;
    case OM_VM_ACT_DISCONNECT:
        CHECK_EQ(w->links, 1);
        w->links = 0;
        w->is_ready = false;
        drop(w, OM_VM_IN_QMP);
        break;
    case OM_VM_ACT_COMMAND:
        CHECK(w->is_ready && w->processes == 1);
        if (a->command == OM_VM_QMP_POWERDOWN && !is_fault(w))
            kill_one(w);
        break;
    case OM_VM_ACT_WIPE:
        CHECK(!w->v.has_process);
        later(w, OM_VM_IN_WIPED, 500);
        break;
    case OM_VM_ACT_GIVE_BACK:
        CHECK(w->quota == 1 && ++w->given_back == 1);
        w->quota = 0;
        break;
    default:
        break;
    }
}

static void act(struct world *w, const struct om_vm_act *a)
{
    switch (a->kind) {
    case OM_VM_ACT_PREPARE:
        CHECK_EQ(w->processes, 0);
        w->prepares++;
        later(w, is_fault(w) ? OM_VM_IN_UNPREPARED : OM_VM_IN_PREPARED, 3000);
        break;
    case OM_VM_ACT_CANCEL:
        if (!is_fault(w) && dice_below(&w->d, 2)) {
            drop(w, OM_VM_IN_PREPARED);
            drop(w, OM_VM_IN_UNPREPARED);
            later(w, OM_VM_IN_UNPREPARED, 100);
        }
        break;
    case OM_VM_ACT_SPAWN:
        CHECK(w->processes == 0 && w->quota == 1);
        w->spawns++;
        later(w, is_fault(w) ? OM_VM_IN_UNSPAWNED : OM_VM_IN_SPAWNED, 100);
        break;
    case OM_VM_ACT_ADOPT:
        later(w, w->processes ? OM_VM_IN_ADOPTED : OM_VM_IN_UNADOPTED, 100);
        break;
    case OM_VM_ACT_KILL:
        kill_one(w);
        break;
    case OM_VM_ACT_TELL:
        states[a->state]++;
        break;
    case OM_VM_ACT_KVM_FAILED:
        falls++;
        break;
    case OM_VM_ACT_DISTRUST_KVM:
        CHECK(!w->v.has_lease);
        break;
    default:
        act_more(w, a);
        break;
    }
}

static void drain(struct world *w)
{
    struct om_vm_act a;

    while (om_vm_next(&w->v, &a))
        act(w, &a);
    CHECK(w->v.state == OM_VM_GONE || om_vm_deadline(&w->v) < OM_NEVER);
}

static void tell(struct world *w, enum om_vm_input_kind kind)
{
    struct om_vm_input in = {.kind = kind, .text = "x"};

    om_vm_input(&w->v, w->now, &in);
    drain(w);
}

static void tell_qmp(struct world *w, enum om_vm_qmp_kind kind, const char *text)
{
    struct om_vm_qmp_event e = {.kind = kind, .is_guest = dice_below(&w->d, 4) != 0};
    struct om_vm_input in = {.kind = OM_VM_IN_QMP, .qmp = &e};

    for (size_t i = 0; text[i] && i + 1 < sizeof e.text; i++)
        e.text[i] = text[i];
    if (w->links == 0)
        return;
    if (kind == OM_VM_QMP_READY)
        w->is_ready = true;
    if (kind == OM_VM_QMP_BROKEN)
        w->is_ready = false;
    if (kind != OM_VM_QMP_BROKEN && !w->is_ready)
        return;
    om_vm_input(&w->v, w->now, &in);
    drain(w);
}

/* A monitor that was connected to greets, or does not. */
static void greet(struct world *w)
{
    bool is_bad = is_fault(w);

    tell_qmp(w, is_bad ? OM_VM_QMP_BROKEN : OM_VM_QMP_READY, "");
    if (is_bad || !w->is_ready)
        return;
    tell_qmp(w, OM_VM_QMP_IS, "running");
    if (!is_fault(w))
        later(w, OM_VM_IN_GUEST_UP, 9000);
}

/* What was announced comes true, in the world first. */
static void happen(struct world *w, enum om_vm_input_kind kind)
{
    if (kind == OM_VM_IN_ADOPTED && w->processes == 0)
        kind = OM_VM_IN_UNADOPTED; /* it ended meanwhile */
    if (kind == OM_VM_IN_PREPARED)
        w->files = 1;
    if (kind == OM_VM_IN_SPAWNED)
        w->processes++;
    if (kind == OM_VM_IN_WIPED)
        w->files = 0;
    if (kind == OM_VM_IN_EXITED) {
        CHECK_EQ(w->processes, 1);
        w->processes = 0;
        drop(w, OM_VM_IN_EXITED);
    }
    if (kind == OM_VM_IN_QMP)
        greet(w);
    else
        tell(w, kind);
}

static void next_moment(struct world *w)
{
    om_time at = om_vm_deadline(&w->v);
    unsigned which = SOON_MAX;

    for (unsigned i = 0; i < w->soons; i++)
        if (w->soon[i].at <= at && (which == SOON_MAX || w->soon[i].at < w->soon[which].at))
            which = i;
    if (which < SOON_MAX) {
        struct soon s = w->soon[which];
        w->soon[which] = w->soon[--w->soons];
        w->now = s.at > w->now ? s.at : w->now;
        happen(w, s.kind);
        return;
    }
    if (at == OM_NEVER)
        return;
    w->now = at > w->now ? at : w->now;
    om_vm_tick(&w->v, w->now);
    drain(w);
}

static void anything(struct world *w)
{
    static const char *const words[] = {"running", "internal-error", "guest-panicked", "io-error",
                                        "paused",  "shutdown",       "guest-reset"};
    static const enum om_vm_input_kind asks[] = {
        OM_VM_IN_RELEASE, OM_VM_IN_EVICT,  OM_VM_IN_VIOLATION, OM_VM_IN_PAUSE,  OM_VM_IN_RESUME,
        OM_VM_IN_PAUSE,   OM_VM_IN_RESUME, OM_VM_IN_GUEST_UP,  OM_VM_IN_REFUSED};

    switch (dice_below(&w->d, 8)) {
    case 0: {
        unsigned first = dice_below(&w->d, 4) ? 3 : 0; /* seldom what ends it */
        tell(w, asks[first + dice_below(&w->d, OM_ARRAY_SIZE(asks) - first)]);
        break;
    }
    case 1:
        if (dice_below(&w->d, 8) == 0)
            kill_one(w);
        break;
    case 2:
    case 3:
    case 4:
        om_vm_alive(&w->v, w->now);
        break;
    default:
        tell_qmp(w, (enum om_vm_qmp_kind)dice_below(&w->d, OM_VM_QMP_BROKEN + 1),
                 words[dice_below(&w->d, OM_ARRAY_SIZE(words))]);
        break;
    }
}

static void begin(struct world *w)
{
    struct om_vm_config c = {.engine = dice_below(&w->d, 2) ? OM_VM_KVM : OM_VM_TCG,
                             .wait = OM_SEC(60),
                             .timeout = OM_SEC(1 + dice_below(&w->d, 300)),
                             .ttl = OM_SEC(60 + dice_below(&w->d, 3600)),
                             .most = OM_SEC(LONG_S)};

    w->quota = 1;
    if (dice_below(&w->d, 3)) {
        om_vm_request(&w->v, w->now, &c);
        drain(w);
        bool is_admitted = dice_below(&w->d, 10) != 0;
        w->quota = is_admitted; /* else never reserved */
        if (is_admitted || dice_below(&w->d, 2))
            tell(w, is_admitted ? OM_VM_IN_ADMITTED : OM_VM_IN_REFUSED);
        return;
    }
    w->files = dice_below(&w->d, 2);
    w->processes = dice_below(&w->d, 2);
    om_time left = OM_SEC(dice_below(&w->d, 4000)) - OM_SEC(200);
    om_vm_recover(&w->v, w->now, &c, left, OM_SEC(9000));
    drain(w);
}

static void run(uint64_t seed)
{
    struct world w = {.d = {seed}, .now = OM_SEC(100)};
    unsigned noise = 4 + dice_below(&w.d, 9);

    w.faults = dice_below(&w.d, 4) ? 2 + dice_below(&w.d, 30) : 0;
    begin(&w);
    for (unsigned i = 0; i < STEPS && w.v.state != OM_VM_GONE; i++) {
        if (dice_below(&w.d, 12) < noise)
            next_moment(&w);
        else
            anything(&w);
    }
    /* left alone it ends by itself; what comes late is cleaned up too */
    for (unsigned i = 0; i < 40 * STEPS && (w.v.state != OM_VM_GONE || w.soons > 0); i++)
        next_moment(&w);
    CHECK_EQ(w.v.state, OM_VM_GONE);
    CHECK(w.v.end != OM_VM_END_NONE);
    ends[w.v.end]++;
    CHECK_EQ(w.processes, 0);
    CHECK_EQ(w.links, 0);
    CHECK_EQ(w.quota, 0);
    CHECK_EQ(w.files, 0);
    CHECK(!w.v.has_process && !w.v.has_links && !w.v.has_files && !w.v.has_quota);
    CHECK(w.prepares <= 2 && w.spawns <= OM_VM_REBOOTS_MAX + 2);
}

/* Every order of events ends in GONE, and the world agrees that nothing is left. */
OM_TEST(vm_model_ends_with_everything_given_back_once)
{
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        run(seed);
    }
    for (unsigned i = 0; i < OM_VM_STATE_COUNT; i++)
        CHECK(states[i] > 100);
    for (unsigned i = OM_VM_END_NONE + 1; i < OM_VM_END_COUNT; i++)
        CHECK(ends[i] > 20);
    CHECK(falls > 100);
}
