/* test_vm.c - the life of a VM, told event by event. */
#include "harness.h"

#include <stdio.h>

#include "vm/core/vm.h"

static struct om_vm v;
static om_time now;

static const struct om_vm_config config = {
    .engine = OM_VM_TCG,
    .wait = OM_SEC(60),
    .timeout = OM_SEC(120),
    .ttl = OM_SEC(3600),
    .most = OM_SEC(86400),
};

/* What is to be done, as words: "preparing prepare". A told state is its name. */
static const char *todo(void)
{
    static const char *const names[] = {
        "prepare", "cancel", "spawn",     "connect",    "connect_qmp",  "disconnect", "",    "kill",
        "adopt",   "wipe",   "give_back", "kvm_failed", "distrust_kvm", "",           "warn"};
    static const char *const commands[] = {
#define X(code, name, args) name,
        OM_VM_QMP_COMMANDS(X)
#undef X
    };
    static char text[400];
    struct om_vm_act a;
    size_t n = 0;

    text[0] = '\0';
    while (om_vm_next(&v, &a)) {
        const char *word = names[a.kind];
        if (a.kind == OM_VM_ACT_TELL)
            word = om_vm_state_name(a.state);
        if (a.kind == OM_VM_ACT_COMMAND)
            word = commands[a.command];
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", word);
    }
    return text;
}

static const char *tell(enum om_vm_input_kind kind, const char *text)
{
    struct om_vm_input in = {.kind = kind, .text = text};

    om_vm_input(&v, now, &in);
    return todo();
}

static const char *qmp(enum om_vm_qmp_kind kind, const char *text)
{
    struct om_vm_qmp_event e = {.kind = kind, .is_guest = true};
    struct om_vm_input in = {.kind = OM_VM_IN_QMP, .qmp = &e};

    (void)snprintf(e.text, sizeof e.text, "%s", text);
    om_vm_input(&v, now, &in);
    return todo();
}

/* Lets time pass until the deadline. */
static const char *wait_for_it(void)
{
    om_time at = om_vm_deadline(&v);

    CHECK(at < OM_NEVER);
    om_vm_tick(&v, at - 1);
    CHECK_STR(todo(), "");
    now = at;
    om_vm_tick(&v, now);
    return todo();
}

/* A VM in @state, on its way with nothing going wrong. */
static void reach(enum om_vm_state state, enum om_vm_engine engine)
{
    struct om_vm_config c = config;

    c.engine = engine;
    now = OM_SEC(1000);
    if (state == OM_VM_LOST) {
        om_vm_recover(&v, now, &c, OM_SEC(2000), OM_SEC(5000));
        CHECK_STR(todo(), "lost adopt");
        return;
    }
    om_vm_request(&v, now, &c);
    CHECK_STR(todo(), "requested");
    if (state == OM_VM_REQUESTED)
        return;
    CHECK_STR(tell(OM_VM_IN_ADMITTED, NULL), "preparing prepare");
    if (state == OM_VM_PREPARING)
        return;
    CHECK_STR(tell(OM_VM_IN_PREPARED, NULL), "starting spawn");
    if (state == OM_VM_STARTING)
        return;
    CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "connect");
    CHECK_STR(qmp(OM_VM_QMP_READY, ""), "booting query-status");
    if (state == OM_VM_BOOTING)
        return;
    now += OM_SEC(3);
    CHECK_STR(tell(OM_VM_IN_GUEST_UP, NULL), "running");
    if (state == OM_VM_PAUSED)
        CHECK_STR(tell(OM_VM_IN_PAUSE, "too much traffic"), "paused stop");
}

static void check_gone(enum om_vm_end end)
{
    CHECK_EQ(v.state, OM_VM_GONE);
    CHECK_EQ(v.end, end);
    CHECK(!v.has_quota && !v.has_files && !v.has_process && !v.has_links);
    CHECK(om_vm_deadline(&v) == OM_NEVER);
    CHECK_STR(tell(OM_VM_IN_RELEASE, NULL), "");
}

OM_TEST(vm_runs_and_is_released)
{
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK(v.lease.until == now + OM_SEC(3600));
    CHECK_STR(qmp(OM_VM_QMP_IS, "running"), "");
    CHECK_STR(tell(OM_VM_IN_RELEASE, NULL), "stopping system_powerdown");
    CHECK_STR(tell(OM_VM_IN_RELEASE, NULL), "");
    CHECK_STR(qmp(OM_VM_QMP_POWERED, ""), "");
    CHECK_STR(qmp(OM_VM_QMP_SHUTDOWN, "guest-shutdown"), "");
    CHECK_STR(tell(OM_VM_IN_EXITED, "status 0"), "disconnect wiping wipe");
    CHECK_STR(tell(OM_VM_IN_WIPED, ""), "give_back gone");
    check_gone(OM_VM_END_RELEASED);
    CHECK(!v.is_unclean);
    CHECK_STR(om_vm_end_name(v.end), "released");
    CHECK_STR(om_vm_end_text(v.end), "its consumer released it");
}

OM_TEST(vm_refused_costs_nothing)
{
    reach(OM_VM_REQUESTED, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_REFUSED, "quiet hours"), "gone");
    CHECK_STR(v.text, "quiet hours");
    check_gone(OM_VM_END_REFUSED);
    reach(OM_VM_REQUESTED, OM_VM_TCG);
    CHECK_STR(wait_for_it(), "gone");
    check_gone(OM_VM_END_TIMEOUT);
    CHECK_STR(tell(OM_VM_IN_ADMITTED, NULL), "give_back");
}

OM_TEST(vm_release_in_every_state_ends_it)
{
    static const struct {
        enum om_vm_state state;
        const char *first;
        enum om_vm_input_kind answer;
        const char *second;
    } rows[] = {
        {OM_VM_PREPARING, "stopping cancel", OM_VM_IN_UNPREPARED, "wiping wipe"},
        {OM_VM_PREPARING, "stopping cancel", OM_VM_IN_PREPARED, "wiping wipe"},
        {OM_VM_STARTING, "stopping", OM_VM_IN_UNSPAWNED, "wiping wipe"},
        {OM_VM_BOOTING, "stopping kill", OM_VM_IN_EXITED, "disconnect wiping wipe"},
        {OM_VM_PAUSED, "stopping kill", OM_VM_IN_EXITED, "disconnect wiping wipe"},
        {OM_VM_LOST, "stopping", OM_VM_IN_UNADOPTED, "wiping wipe"},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        reach(rows[i].state, OM_VM_TCG);
        CHECK_STR(tell(OM_VM_IN_RELEASE, NULL), rows[i].first);
        CHECK_STR(tell(rows[i].answer, NULL), rows[i].second);
        CHECK_STR(tell(OM_VM_IN_WIPED, NULL), "give_back gone");
        check_gone(OM_VM_END_RELEASED);
    }
    reach(OM_VM_STARTING, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_RELEASE, NULL), "stopping");
    CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "kill");
    CHECK_STR(tell(OM_VM_IN_EXITED, NULL), "wiping wipe");
}

OM_TEST(vm_falls_back_to_tcg)
{
    reach(OM_VM_BOOTING, OM_VM_KVM);
    CHECK_STR(qmp(OM_VM_QMP_STOPPED, ""), "query-status");
    CHECK_STR(qmp(OM_VM_QMP_IS, "internal-error"), "kvm_failed distrust_kvm stopping kill");
    CHECK_STR(tell(OM_VM_IN_EXITED, "signal 9"), "disconnect preparing prepare");
    CHECK_EQ(v.engine, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_PREPARED, NULL), "starting spawn");
    CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "connect");
    CHECK_STR(qmp(OM_VM_QMP_READY, ""), "booting query-status");
    CHECK_STR(tell(OM_VM_IN_GUEST_UP, NULL), "running");
    /* one that ran keeps its disk, and says nothing of others */
    reach(OM_VM_RUNNING, OM_VM_KVM);
    CHECK_STR(qmp(OM_VM_QMP_IS, "internal-error"), "kvm_failed stopping kill");
    CHECK_STR(tell(OM_VM_IN_EXITED, "signal 9"), "disconnect starting spawn");
    /* a QEMU that does not even start with it */
    reach(OM_VM_STARTING, OM_VM_KVM);
    CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "connect");
    CHECK_STR(tell(OM_VM_IN_EXITED, "status 1"),
              "disconnect kvm_failed distrust_kvm preparing prepare");
}

OM_TEST(vm_spared_kvm_starts_under_tcg)
{
    reach(OM_VM_PREPARING, OM_VM_KVM);
    om_vm_spare(&v);
    CHECK_EQ(v.engine, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_PREPARED, NULL), "starting spawn");
    /* One that runs may well go on. */
    reach(OM_VM_RUNNING, OM_VM_KVM);
    om_vm_spare(&v);
    CHECK_EQ(v.engine, OM_VM_KVM);
}

OM_TEST(vm_that_says_nothing_under_kvm_is_started_under_tcg)
{
    reach(OM_VM_BOOTING, OM_VM_KVM);
    CHECK_STR(wait_for_it(), "kvm_failed distrust_kvm stopping kill");
    CHECK(now == OM_SEC(1000 + OM_VM_BOOT_KVM_S));
    CHECK(v.start_by == now + config.timeout); /* anew, as TCG is to have as much */
    CHECK_STR(tell(OM_VM_IN_RELEASE, NULL), "stopping");
    CHECK_STR(tell(OM_VM_IN_EXITED, NULL), "disconnect wiping wipe");
}

OM_TEST(vm_internal_error_under_tcg_ends_it)
{
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(qmp(OM_VM_QMP_IS, "internal-error"), "stopping kill");
    CHECK_STR(v.text, "QEMU reports an internal error");
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(qmp(OM_VM_QMP_PANICKED, ""), "stopping kill");
    CHECK_EQ(v.end, OM_VM_END_PANICKED);
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_EXITED, "signal 11"), "disconnect wiping wipe");
    CHECK_EQ(v.end, OM_VM_END_DIED);
    CHECK_STR(v.text, "signal 11");
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_VIOLATION, "spoofed address"), "stopping kill");
    CHECK_EQ(v.end, OM_VM_END_VIOLATION);
}

OM_TEST(vm_lives_on_after_a_restart)
{
    reach(OM_VM_LOST, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_ADOPTED, NULL), "connect");
    CHECK_STR(qmp(OM_VM_QMP_READY, ""), "query-status");
    CHECK_STR(qmp(OM_VM_QMP_IS, "running"), "running");
    CHECK(v.lease.until == now + OM_SEC(2000));
    om_vm_alive(&v, now);
    CHECK(v.lease.until == now + OM_SEC(3600));
    reach(OM_VM_LOST, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_ADOPTED, NULL), "connect");
    CHECK_STR(qmp(OM_VM_QMP_READY, ""), "query-status");
    CHECK_STR(qmp(OM_VM_QMP_IS, "paused"), "paused");
    CHECK_STR(tell(OM_VM_IN_RESUME, NULL), "running cont");
}

OM_TEST(vm_lost_process_is_cleaned_up)
{
    reach(OM_VM_LOST, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_UNADOPTED, "its process is gone"), "wiping wipe");
    CHECK_STR(v.text, "its process is gone");
    CHECK_STR(tell(OM_VM_IN_WIPED, "seed.iso: busy"), "give_back gone");
    check_gone(OM_VM_END_DIED);
    CHECK(v.is_unclean);
    reach(OM_VM_LOST, OM_VM_TCG);
    CHECK_STR(wait_for_it(), "stopping");
    CHECK_STR(wait_for_it(), "wiping wipe");
    CHECK_STR(wait_for_it(), "give_back gone");
    CHECK(v.is_unclean);
}

OM_TEST(vm_lost_monitor_is_connected_again)
{
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(qmp(OM_VM_QMP_BROKEN, "closed"), "connect_qmp");
    CHECK_STR(qmp(OM_VM_QMP_READY, ""), "query-status");
    now += OM_SEC(OM_VM_CALM_S + 1);
    CHECK_STR(qmp(OM_VM_QMP_BROKEN, "closed"), "connect_qmp");
    CHECK_STR(wait_for_it(), "connect_qmp");
    CHECK_STR(wait_for_it(), "connect_qmp");
    CHECK_STR(wait_for_it(), "stopping kill");
    CHECK_EQ(v.end, OM_VM_END_FAILED);
    CHECK_STR(v.text, "QEMU's monitor could not be reached");
}

OM_TEST(vm_full_disk_pauses_and_goes_on)
{
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(qmp(OM_VM_QMP_STOPPED, ""), "query-status");
    CHECK_STR(qmp(OM_VM_QMP_IS, "io-error"), "paused");
    CHECK_STR(v.text, "the provider's disk is full");
    CHECK_STR(wait_for_it(), "cont query-status");
    CHECK_STR(qmp(OM_VM_QMP_IS, "io-error"), "");
    CHECK_STR(tell(OM_VM_IN_RESUME, NULL), "");
    CHECK_STR(wait_for_it(), "cont query-status");
    CHECK_STR(qmp(OM_VM_QMP_RESUMED, ""), "running");
    CHECK_STR(v.text, "");
}

OM_TEST(vm_reboot_keeps_the_disk)
{
    reach(OM_VM_RUNNING, OM_VM_TCG);
    for (unsigned i = 0; i < OM_VM_REBOOTS_MAX; i++) {
        CHECK_STR(qmp(OM_VM_QMP_SHUTDOWN, "guest-reset"), "stopping");
        CHECK_STR(tell(OM_VM_IN_EXITED, "status 0"), "disconnect starting spawn");
        CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "connect");
        CHECK_STR(qmp(OM_VM_QMP_READY, ""), "booting query-status");
        CHECK_STR(tell(OM_VM_IN_GUEST_UP, NULL), "running");
    }
    CHECK_STR(qmp(OM_VM_QMP_SHUTDOWN, "guest-reset"), "stopping kill");
    CHECK_STR(v.text, "the guest rebooted too often");
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(qmp(OM_VM_QMP_SHUTDOWN, "guest-shutdown"), "stopping");
    CHECK_EQ(v.end, OM_VM_END_SHUT_DOWN);
    CHECK_STR(wait_for_it(), "kill");
}

OM_TEST(vm_lease_ends_it)
{
    struct om_vm_act a;

    reach(OM_VM_RUNNING, OM_VM_TCG);
    now = om_vm_deadline(&v);
    om_vm_tick(&v, now);
    CHECK(om_vm_next(&v, &a) && a.kind == OM_VM_ACT_WARN && a.lease.left == OM_SEC(900));
    CHECK_OK(om_vm_extend(&v, now, OM_SEC(3600), NULL));
    CHECK_STR(wait_for_it(), "warn");
    CHECK_STR(wait_for_it(), "warn");
    CHECK_STR(wait_for_it(), "stopping system_powerdown");
    CHECK_EQ(v.end, OM_VM_END_EXPIRED);
    CHECK_ERR(om_vm_extend(&v, now, OM_SEC(3600), NULL), OM_E_STATE);
}

OM_TEST(vm_unkillable_process_keeps_its_quota)
{
    reach(OM_VM_RUNNING, OM_VM_TCG);
    CHECK_STR(tell(OM_VM_IN_EVICT, "owner needs it"), "stopping system_powerdown");
    for (unsigned i = 0; i < 50; i++)
        CHECK_STR(wait_for_it(), "kill");
    CHECK(v.has_quota && v.state == OM_VM_STOPPING);
    CHECK_STR(tell(OM_VM_IN_EXITED, "signal 9"), "disconnect wiping wipe");
    CHECK_STR(tell(OM_VM_IN_WIPED, NULL), "give_back gone");
    check_gone(OM_VM_END_EVICTED);
}

OM_TEST(vm_late_process_is_killed)
{
    reach(OM_VM_STARTING, OM_VM_TCG);
    CHECK_STR(wait_for_it(), "stopping");
    CHECK_STR(wait_for_it(), "wiping wipe");
    CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "kill");
    CHECK_STR(tell(OM_VM_IN_WIPED, NULL), "give_back gone");
    CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "kill");
    CHECK_STR(tell(OM_VM_IN_PREPARED, NULL), "wipe");
    CHECK_STR(tell(OM_VM_IN_WIPED, NULL), "");
    CHECK_STR(v.text, "QEMU did not start in time");
}

OM_TEST(vm_every_state_has_a_deadline)
{
    static const char *const first[] = {
        [OM_VM_REQUESTED] = "gone",    [OM_VM_PREPARING] = "stopping cancel",
        [OM_VM_STARTING] = "stopping", [OM_VM_BOOTING] = "stopping kill",
        [OM_VM_RUNNING] = "warn",      [OM_VM_PAUSED] = "warn",
        [OM_VM_LOST] = "stopping",
    };

    for (enum om_vm_state s = OM_VM_REQUESTED; s <= OM_VM_LOST; s++) {
        reach(s, OM_VM_TCG);
        CHECK_STR(wait_for_it(), first[s]);
        /* and from there on to the end, as long as a process that is killed ends */
        for (unsigned i = 0; i < 20 && v.state != OM_VM_GONE; i++)
            if (strstr(wait_for_it(), "kill"))
                (void)tell(OM_VM_IN_EXITED, "signal 9");
        CHECK(v.has_process || v.state == OM_VM_GONE);
    }
    /* the consumer's timeout counts over all that comes before it runs */
    reach(OM_VM_PREPARING, OM_VM_TCG);
    CHECK(om_vm_deadline(&v) == OM_SEC(1120));
    now += OM_SEC(100);
    CHECK_STR(tell(OM_VM_IN_PREPARED, NULL), "starting spawn");
    CHECK_STR(tell(OM_VM_IN_SPAWNED, NULL), "connect");
    CHECK_STR(qmp(OM_VM_QMP_READY, ""), "booting query-status");
    CHECK(om_vm_deadline(&v) == OM_SEC(1120));
    CHECK_STR(wait_for_it(), "stopping kill");
    CHECK_EQ(v.end, OM_VM_END_TIMEOUT);
}
