/* test_job.c - a job, told order by order. */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>

#include "json_hook.h"
#include "tests/model/dice.h"
#include "vm/core/job.h"

static struct om_vm_job j;
static char done_text[2000];

static const struct om_vm_job_spec plain = {
    .language = "sh", .script = 12, .timeout = OM_SEC(60), .output_max = 10, .file_max = 8};

/* What is to be done, as words. */
static const char *todo(void)
{
    struct om_vm_job_act a;
    size_t n = 0;

    done_text[0] = '\0';
    while (om_vm_job_next(&j, &a)) {
        char *to = done_text + n;
        size_t room = sizeof done_text - n;
        int len = (int)(a.kind == OM_VM_JOB_ORDER ? a.bytes.n - 1 : a.bytes.n);
        const char *bytes = (const char *)a.bytes.p;
        if (a.kind == OM_VM_JOB_ORDER)
            n += (size_t)snprintf(to, room, "[%.*s]", len, bytes);
        else if (a.kind == OM_VM_JOB_BODY)
            n += (size_t)snprintf(to, room, "body%d:%" PRIu64, a.index, a.size);
        else if (a.kind == OM_VM_JOB_OUTPUT)
            n += (size_t)snprintf(to, room, "%s:%.*s", a.is_error ? "err" : "out", len, bytes);
        else if (a.kind == OM_VM_JOB_CUT)
            n += (size_t)snprintf(to, room, "cut");
        else if (a.kind == OM_VM_JOB_FILE)
            n += (size_t)snprintf(to, room, "file%d:%.*s", a.index, len, bytes);
        else if (a.kind == OM_VM_JOB_FILED)
            n += (size_t)snprintf(to, room, "filed%d(%s)", a.index, j.filed);
        else
            n += (size_t)snprintf(to, room, "%s", om_vm_job_end_name(j.end));
    }
    return done_text;
}

static const char *hear(enum om_vm_agent_kind kind, const char *text, unsigned status)
{
    struct om_vm_agent_event e = {.kind = kind, .status = status};

    (void)snprintf(e.id, sizeof e.id, "%s", j.id);
    (void)snprintf(e.text, sizeof e.text, "%s", text);
    e.bytes = om_bytes(text, strlen(text));
    om_vm_job_heard(&j, OM_SEC(1), &e);
    return todo();
}

static const char *sent(void)
{
    om_vm_job_sent(&j, OM_SEC(1));
    return todo();
}

static void begin(const struct om_vm_job_spec *s)
{
    om_vm_job_start(&j, OM_SEC(1), s, 7);
}

OM_TEST(job_runs_and_gives_its_output)
{
    begin(&plain);
    CHECK_STR(todo(), "[run j7-0 sh 12]body-1:12");
    CHECK(om_vm_job_deadline(&j) == OM_SEC(61));
    CHECK_STR(sent(), "");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "hello", 0), "out:hello");
    CHECK_STR(hear(OM_VM_AGENT_ERR, "no", 0), "err:no");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 3), "exited");
    CHECK(j.status == 3 && j.end == OM_VM_JOB_END_EXITED && !j.is_cut);
    CHECK(om_vm_job_deadline(&j) == OM_NEVER);
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 4), "");
    CHECK_EQ(j.status, 3);
}

OM_TEST(job_takes_files_there_and_back)
{
    struct om_vm_job_spec s = plain;

    s.inputs = 2;
    s.input[0] = (struct om_vm_job_file){"a", 5, 0644};
    s.input[1] = (struct om_vm_job_file){"/b c", 0, 0755};
    s.artefacts = 2;
    (void)snprintf(s.artefact[0].path, OM_VM_JOB_PATH, "out");
    (void)snprintf(s.artefact[1].path, OM_VM_JOB_PATH, "log");
    begin(&s);
    CHECK_STR(todo(), "[put j7-0 0644 5 YQ==]body0:5");
    CHECK_STR(sent(), "");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "[put j7-1 0755 0 L2IgYw==]body1:0");
    CHECK_STR(sent(), "");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "[run j7-2 sh 12]body-1:12");
    CHECK_STR(sent(), "");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "[get j7-3 b3V0]");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "1234", 0), "file0:1234");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "5678", 0), "file0:5678");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "filed0()[get j7-4 bG9n]");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "12345", 0), "file1:12345");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "6789", 0), "[cancel j7-4]");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "6", 0), "");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 143),
              "filed1(it is larger than an artefact may be)exited");
    CHECK(j.missing == 1 && j.status == 0);
}

OM_TEST(job_missing_artefact_is_told)
{
    struct om_vm_job_spec s = plain;

    s.artefacts = 2;
    (void)snprintf(s.artefact[0].path, OM_VM_JOB_PATH, "out");
    (void)snprintf(s.artefact[1].path, OM_VM_JOB_PATH, "log");
    begin(&s);
    CHECK_STR(todo(), "[run j7-0 sh 12]body-1:12");
    CHECK_STR(sent(), "");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 1), "[get j7-1 b3V0]");
    CHECK_STR(hear(OM_VM_AGENT_ERR, "cat: no such \x1b[2Jfile\n", 0), "");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 1), "filed0(cat: no such [2Jfile)[get j7-2 bG9n]");
    om_vm_job_tick(&j, OM_SEC(1 + OM_VM_JOB_GET_S));
    CHECK_STR(todo(), "filed1(it did not come in time)[cancel j7-2]exited");
    CHECK(j.missing == 2 && j.status == 1);
}

OM_TEST(job_output_is_cut_and_said)
{
    begin(&plain);
    (void)todo();
    CHECK_STR(sent(), "");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "12345678", 0), "out:12345678");
    CHECK_STR(hear(OM_VM_AGENT_ERR, "abcd", 0), "err:abcut");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "more", 0), "");
    CHECK(j.output == 10 && j.dropped == 6 && j.is_cut);
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "exited");
}

OM_TEST(job_times_out)
{
    begin(&plain);
    (void)todo();
    CHECK_STR(sent(), "");
    om_vm_job_tick(&j, OM_SEC(61) - 1);
    CHECK_STR(todo(), "");
    om_vm_job_tick(&j, OM_SEC(61));
    CHECK_STR(todo(), "[cancel j7-0]");
    CHECK_STR(hear(OM_VM_AGENT_OUT, "last", 0), "out:last");
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 143), "timeout");
    CHECK_EQ(j.end, OM_VM_JOB_END_TIMEOUT);
    /* a guest that does not even answer that */
    begin(&plain);
    (void)todo();
    CHECK_STR(sent(), "");
    om_vm_job_tick(&j, OM_SEC(61));
    CHECK_STR(todo(), "[cancel j7-0]");
    om_vm_job_tick(&j, om_vm_job_deadline(&j));
    CHECK_STR(todo(), "timeout");
}

OM_TEST(job_is_cancelled_in_every_state)
{
    struct om_vm_job_spec s = plain;

    s.inputs = 1;
    s.input[0] = (struct om_vm_job_file){"a", 5, 0644};
    s.artefacts = 1;
    (void)snprintf(s.artefact[0].path, OM_VM_JOB_PATH, "out");
    for (unsigned step = 0; step < 4; step++) {
        begin(&s);
        (void)todo();
        if (step > 0)
            CHECK_STR(sent(), "");
        if (step > 1) {
            CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "[run j7-1 sh 12]body-1:12");
            CHECK_STR(sent(), "");
        }
        if (step > 2)
            CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "[get j7-2 b3V0]");
        om_vm_job_cancel(&j, OM_SEC(2));
        if (step == 0) { /* the body goes first */
            CHECK_STR(todo(), "");
            CHECK_STR(hear(OM_VM_AGENT_FAIL, "no room", 0), "");
            CHECK_STR(sent(), "[cancel j7-0]");
        } else {
            CHECK(strncmp(todo(), "[cancel j7-", 11) == 0);
        }
        om_vm_job_cancel(&j, OM_SEC(2));
        CHECK_STR(todo(), "");
        CHECK_STR(hear(OM_VM_AGENT_FAIL, "no such job", 0), "cancelled");
    }
}

OM_TEST(job_guest_that_is_lost_ends_it)
{
    struct om_vm_agent_event e = {.kind = OM_VM_AGENT_STARTED, .id = "-"};

    begin(&plain);
    (void)todo();
    om_vm_job_lose(&j, "the VM is gone");
    CHECK_STR(todo(), "lost");
    CHECK_STR(j.text, "the VM is gone");
    om_vm_job_lose(&j, "again");
    CHECK_STR(todo(), "");
    begin(&plain);
    (void)todo();
    om_vm_job_heard(&j, OM_SEC(1), &e);
    CHECK_STR(todo(), "lost");
}

OM_TEST(job_guest_that_refuses_ends_it)
{
    begin(&plain);
    (void)todo();
    CHECK_STR(sent(), "");
    CHECK_STR(hear(OM_VM_AGENT_FAIL, "this image runs python", 0), "refused");
    CHECK_STR(j.text, "this image runs python");
    /* before it got the program: what is owed is sent first */
    begin(&plain);
    (void)todo();
    CHECK_STR(hear(OM_VM_AGENT_FAIL, "no", 0), "");
    CHECK_STR(sent(), "[cancel j7-0]");
    CHECK_STR(hear(OM_VM_AGENT_FAIL, "no such job", 0), "refused");
    begin(&plain);
    (void)todo();
    CHECK_STR(hear(OM_VM_AGENT_EXIT, "", 0), "");
    CHECK_STR(j.text, "the guest ended a program it had not got");
}

OM_TEST(job_hears_only_its_own_orders)
{
    struct om_vm_agent_event e = {.kind = OM_VM_AGENT_EXIT, .id = "j7-1"};

    begin(&plain);
    (void)todo();
    CHECK_STR(sent(), "");
    CHECK(om_vm_job_owns(&j, "j7-0") && !om_vm_job_owns(&j, "j7-1"));
    om_vm_job_heard(&j, OM_SEC(1), &e);
    CHECK_STR(todo(), "");
    CHECK_EQ(j.state, OM_VM_JOB_RUNNING);
}

OM_TEST(job_reads_its_words)
{
    json_t *o = json_hook_loads(
        "{\"language\": \"python\", \"script\": 100, \"timeout\": \"5m\", \"output_max\": 1000,"
        " \"inputs\": [{\"path\": \"a\", \"size\": 5}, {\"path\": \"/b\", \"size\": 0, \"mode\":"
        " 493}], \"artefacts\": [\"out.txt\"]}");
    json_t *back = NULL, *twice = NULL;
    struct om_vm_job_spec s;

    OM_TRY(o && om_vm_job_read(&s, o, NULL) == OM_OK);
    CHECK(s.script == 100 && s.timeout == OM_SEC(300) && s.output_max == 1000 && s.inputs == 2);
    CHECK(s.input[0].mode == 0644 && s.input[1].mode == 0755 && s.artefacts == 1);
    CHECK_STR(s.artefact[0].path, "out.txt");
    OM_TRY((back = om_vm_job_write(&s)) != NULL);
    OM_TRY(om_vm_job_read(&s, back, NULL) == OM_OK);
    OM_TRY((twice = om_vm_job_write(&s)) != NULL);
    CHECK(json_equal(back, twice) && json_object_size(back) == 7);
out:
    json_decref(o);
    json_decref(back);
    json_decref(twice);
}

OM_TEST(job_refuses_bad_words)
{
    static const struct {
        const char *text, *start;
    } rows[] = {
        {"{}", "job.language: want a word"},
        {"{\"language\": \"s h\"}", "job.language: want a word"},
        {"{\"language\": \"sh\"}", "job.script: want the program's size"},
        {"{\"language\": \"sh\", \"script\": 1048577}", "job.script: is 1048577"},
        {"{\"language\": \"sh\", \"script\": 1, \"timeout\": \"0s\"}", "job.timeout: want 1s"},
        {"{\"language\": \"sh\", \"script\": 1, \"inputs\": [{\"path\": \"\"}]}",
         "job.inputs[0].path: want a file's name"},
        {"{\"language\": \"sh\", \"script\": 1, \"inputs\": [{\"path\": \"a\"}]}",
         "job.inputs[0].size: want one"},
        {"{\"language\": \"sh\", \"script\": 1, \"artefacts\": [\"a/\"]}",
         "job.artefacts[0]: want a file's name"},
        {"{\"language\": \"sh\", \"script\": 1, \"files\": []}", "job.files: unknown member"},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        json_t *o = json_hook_loads(rows[i].text);
        struct om_error err = {0};
        struct om_vm_job_spec s;
        OM_TRY(o);
        enum om_err e = om_vm_job_read(&s, o, &err);
        json_decref(o);
        OM_TRY(e != OM_E_NO_MEM);
        CHECK(e != OM_OK && strncmp(err.msg, rows[i].start, strlen(rows[i].start)) == 0);
    }
out:
    return;
}

/* Whatever a guest says and whenever: the job ends, gives no more than its limits, and never
 * speaks into a body. */
OM_TEST(job_model_always_ends)
{
    unsigned ended[OM_VM_JOB_END_COUNT] = {0};

    for (uint64_t seed = 1; seed < 4000; seed++) {
        struct dice d = {seed};
        struct om_vm_job_spec s = plain;
        om_time now = OM_SEC(1);
        unsigned outputs = 0, endings = 0;
        struct om_vm_job_act a;

        s.inputs = dice_below(&d, 4);
        s.artefacts = dice_below(&d, 4);
        for (unsigned i = 0; i < 4; i++) {
            s.input[i] = (struct om_vm_job_file){"i", 3, 0644};
            s.artefact[i] = (struct om_vm_job_file){"a", 0, 0};
        }
        begin(&s);
        (void)todo();
        for (unsigned i = 0; i < 400 && j.state != OM_VM_JOB_DONE; i++) {
            bool was_sending = j.is_sending;
            struct om_vm_agent_event e = {.kind = (enum om_vm_agent_kind)dice_below(&d, 6),
                                          .status = dice_below(&d, 3) ? 0 : 9};
            (void)snprintf(e.id, sizeof e.id, "%s", dice_below(&d, 8) ? j.id : "other");
            e.bytes = om_bytes("abcdefgh", dice_below(&d, 9));
            if (e.kind >= OM_VM_AGENT_FAIL || e.kind == OM_VM_AGENT_STARTED)
                e.kind = dice_below(&d, 12) ? OM_VM_AGENT_OUT : e.kind;
            now += dice_below(&d, OM_SEC(4));
            switch (dice_below(&d, 12)) {
            case 0:
            case 1:
            case 2:
            case 3:
                om_vm_job_sent(&j, now);
                break;
            case 4:
                if (dice_below(&d, 9) == 0)
                    om_vm_job_cancel(&j, now);
                else if (dice_below(&d, 9) == 0)
                    om_vm_job_lose(&j, "x");
                break;
            case 5:
                om_vm_job_tick(&j, now);
                break;
            default:
                om_vm_job_heard(&j, now, &e);
                break;
            }
            while (om_vm_job_next(&j, &a)) {
                outputs += a.kind == OM_VM_JOB_OUTPUT ? (unsigned)a.bytes.n : 0;
                endings += a.kind == OM_VM_JOB_ENDED;
                CHECK(a.kind != OM_VM_JOB_ORDER || !was_sending || !j.is_sending);
            }
        }
        for (unsigned i = 0; i < 4 && j.state != OM_VM_JOB_DONE; i++) {
            om_vm_job_tick(&j, om_vm_job_deadline(&j));
            while (om_vm_job_next(&j, &a))
                endings += a.kind == OM_VM_JOB_ENDED;
        }
        CHECK(j.state == OM_VM_JOB_DONE && endings == 1 && outputs <= s.output_max);
        ended[j.end]++;
    }
    for (unsigned i = OM_VM_JOB_END_EXITED; i < OM_VM_JOB_END_COUNT; i++)
        CHECK(ended[i] > 30);
}
