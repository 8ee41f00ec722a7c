/* test_cli_ask.c - questions to a daemon that is played, and which peer a word means. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"
#include "peer.h"

struct toy {
    char folder[64], path[96];
    int listener, fd;
    struct om_ask *ask;
};

/* A connection whose other end is ours: answers can be written before they are asked for. */
static bool toy_open(struct toy *t)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct om_error err;

    *t = (struct toy){.folder = "/tmp/om-ask-XXXXXX", .listener = -1, .fd = -1};
    CHECK(mkdtemp(t->folder) != NULL);
    snprintf(t->path, sizeof t->path, "%s/control.sock", t->folder);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", t->path);
    t->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(t->listener, (const struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(listen(t->listener, 1), 0);
    if (om_ask_open(&t->ask, t->path, &err))
        return false;
    t->fd = accept(t->listener, NULL, NULL);
    return true;
}

static void toy_close(struct toy *t)
{
    om_ask_close(t->ask);
    if (t->fd >= 0)
        close(t->fd);
    close(t->listener);
    unlink(t->path);
    rmdir(t->folder);
}

static void say(const struct toy *t, const char *text)
{
    CHECK_EQ(write(t->fd, text, strlen(text)), strlen(text));
}

OM_TEST(ask_gets_the_answer_to_its_question)
{
    struct om_error err;
    json_t *result = NULL;
    struct toy t;
    char asked[256];
    ssize_t n;

    OM_TRY(toy_open(&t));
    say(&t, "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":1}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":2}}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,\"message\":\"no\\u001b[2J\"}"
            "}\n");
    CHECK_EQ(om_ask_call(t.ask, "status", NULL, OM_SEC(5), &result, &err), OM_EXIT_OK);
    CHECK_EQ(json_integer_value(json_object_get(result, "a")), 2);
    n = read(t.fd, asked, sizeof asked - 1);
    CHECK(n > 0);
    asked[n] = 0;
    CHECK_STR(asked, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{}}\n");
    json_decref(result);
    CHECK_EQ(om_ask_call(t.ask, "nonsense", NULL, OM_SEC(5), &result, &err), OM_EXIT_REFUSED);
    CHECK_STR(err.msg, "no\\x1b[2J");
out:
    toy_close(&t);
}

OM_TEST(ask_keeps_events_for_later)
{
    struct om_error err;
    json_t *result = NULL, *event = NULL;
    struct toy t;

    OM_TRY(toy_open(&t));
    say(&t, "{\"jsonrpc\":\"2.0\",\"method\":\"pong\",\"params\":{\"seq\":1}}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n"
            "{\"jsonrpc\":\"2.0\",\"method\":\"pong\",\"params\":{\"seq\":2}}\n");
    CHECK_EQ(om_ask_call(t.ask, "ping.start", NULL, OM_SEC(5), &result, &err), OM_EXIT_OK);
    for (int i = 1; i <= 2; i++) {
        CHECK_EQ(om_ask_next_event(t.ask, OM_SEC(5), &event, &err), OM_EXIT_OK);
        CHECK_STR(json_string_value(json_object_get(event, "event")), "pong");
        CHECK_EQ(json_integer_value(json_object_get(event, "seq")), i);
        json_decref(event);
    }
    close(t.fd);
    t.fd = -1;
    CHECK_EQ(om_ask_next_event(t.ask, OM_SEC(5), &event, &err), OM_EXIT_NO_DAEMON);
out:
    toy_close(&t);
}

OM_TEST(ask_without_daemon_says_so)
{
    struct om_error err;
    struct om_ask *ask = NULL;
    enum om_exit e = om_ask_open(&ask, "/tmp/om-no-such-folder/control.sock", &err);

    OM_TRY(e == OM_EXIT_NO_DAEMON);
    CHECK(strstr(err.msg, "start one with `omerta up`") != NULL);
out:
    return;
}

OM_TEST(ask_reads_why_it_was_hung_up_on)
{
    struct om_error err;
    json_t *result;
    struct toy t;

    OM_TRY(toy_open(&t));
    say(&t, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32006,\"message\":\"full\"}}\n");
    CHECK_EQ(close(t.fd), 0);
    t.fd = -1;
    CHECK_EQ(om_ask_call(t.ask, "status", NULL, OM_SEC(5), &result, &err), OM_EXIT_REFUSED);
    CHECK_STR(err.msg, "full");
    /* The control: nothing was said, and that is what is told. */
    CHECK_EQ(om_ask_call(t.ask, "status", NULL, OM_SEC(5), &result, &err), OM_EXIT_NO_DAEMON);
    CHECK(strstr(err.msg, "closed") != NULL);
out:
    toy_close(&t);
}

OM_TEST(ask_waits_no_longer_than_told)
{
    struct om_error err;
    json_t *result;
    struct toy t;

    OM_TRY(toy_open(&t));
    CHECK_EQ(om_ask_call(t.ask, "status", NULL, OM_MS(20), &result, &err), OM_EXIT_TIMEOUT);
    say(&t, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"late\"}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"new\"}\n");
    CHECK_EQ(om_ask_call(t.ask, "status", NULL, OM_SEC(5), &result, &err), OM_EXIT_OK);
    CHECK_STR(json_string_value(result), "new");
    json_decref(result);
out:
    toy_close(&t);
}

OM_TEST(ask_refuses_an_endless_line)
{
    static char blob[OM_ASK_FRAME_MAX / 16];
    struct om_error err;
    enum om_exit e = OM_EXIT_TIMEOUT;
    json_t *result;
    struct toy t;

    memset(blob, 'x', sizeof blob);
    OM_TRY(toy_open(&t));
    for (int i = 0; i < 64 && e == OM_EXIT_TIMEOUT; i++) {
        ssize_t n = send(t.fd, blob, sizeof blob, MSG_DONTWAIT | MSG_NOSIGNAL);

        CHECK(n > 0 || errno == EAGAIN);
        e = om_ask_next_event(t.ask, 0, &result, &err);
    }
    OM_TRY(e == OM_EXIT_FAILED && err.code == OM_E_RANGE);
out:
    toy_close(&t);
}

#define ANN  "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpjzxi4dtmj2a"
#define BOB  "mfrgzzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpjzxi4dtmj2a"
#define CARL "aaaazzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpjzxi4dtmj2a"

static json_t *peers(void)
{
    return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "id", ANN, "name", "ann", "id", BOB, "name",
                     "bob", "id", CARL, "name", "ann");
}

OM_TEST(peer_full_id_needs_no_list)
{
    char id[OM_ID_TEXT];
    struct om_error err;

    CHECK_OK(om_peer_pick(NULL, ANN, id, &err));
    CHECK_STR(id, ANN);
    CHECK_ERR(om_peer_pick(NULL, "ann", id, &err), OM_E_MISSING);
}

OM_TEST(peer_prefix_and_name_find_one)
{
    char id[OM_ID_TEXT];
    struct om_error err;
    json_t *list = peers();

    CHECK_OK(om_peer_pick(list, "mfrgg", id, &err));
    CHECK_STR(id, ANN);
    CHECK_OK(om_peer_pick(list, "aaaa", id, &err));
    CHECK_STR(id, CARL);
    CHECK_OK(om_peer_pick(list, "bob", id, &err));
    CHECK_STR(id, BOB);
    CHECK_ERR(om_peer_pick(list, "aaa", id, &err), OM_E_MISSING);
    json_decref(list);
}

/* As one is called where another has the name, whichever of the two that is. */
OM_TEST(peer_name_with_its_id_behind_finds_one)
{
    char id[OM_ID_TEXT];
    struct om_error err;
    json_t *list = peers();

    CHECK_ERR(om_peer_pick(list, "ann", id, &err), OM_E_RANGE);
    CHECK_OK(om_peer_pick(list, "ann-mfrggz", id, &err));
    CHECK_STR(id, ANN);
    CHECK_OK(om_peer_pick(list, "ann-aaaazz", id, &err));
    CHECK_STR(id, CARL);
    (void)json_object_set_new(json_array_get(list, 0), "network", json_string("lab"));
    CHECK_OK(om_peer_pick(list, "ann-mfrggz.lab", id, &err));
    CHECK_STR(id, ANN);
    static const char *const nobodys[] = {"ann-mfrgzz", "ann-mfrgg", "ann-mfrggzd",
                                          "ann-mfrggz.home", "ann-"};
    for (unsigned i = 0; i < OM_ARRAY_SIZE(nobodys); i++)
        CHECK_ERR(om_peer_pick(list, nobodys[i], id, &err), OM_E_MISSING);
    json_decref(list);
}

OM_TEST(peer_ambiguity_is_refused)
{
    char id[OM_ID_TEXT];
    struct om_error err;
    json_t *list = peers();

    CHECK_ERR(om_peer_pick(list, "mfrg", id, &err), OM_E_RANGE);
    CHECK(strstr(err.msg, "mfrggzdfmz (ann)") && strstr(err.msg, "mfrgzzdfmz (bob)"));
    CHECK_ERR(om_peer_pick(list, "ann", id, &err), OM_E_RANGE);
    CHECK_ERR(om_peer_pick(list, NULL, id, &err), OM_E_RANGE);
    json_decref(list);
}

OM_TEST(peer_alone_needs_no_name)
{
    char id[OM_ID_TEXT];
    struct om_error err;
    json_t *list = json_pack("[{s:s,s:n}]", "id", BOB, "name");

    CHECK_OK(om_peer_pick(list, NULL, id, &err));
    CHECK_STR(id, BOB);
    json_array_clear(list);
    CHECK_ERR(om_peer_pick(list, NULL, id, &err), OM_E_MISSING);
    json_decref(list);
}

OM_TEST(peer_case_is_no_difference)
{
    static const char *const anns[] = {"ANN", "Ann.LAB", "ann.Lab", "ANN-MFRGGZ.lab", "MFRGG"};
    char id[OM_ID_TEXT];
    struct om_error err;
    json_t *list = json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s}]", "id", ANN, "name", "ann", "network",
                             "lab", "id", BOB, "name", "Bob", "network", "lab");
    json_t *twice =
        json_pack("[{s:s,s:s},{s:s,s:s}]", "id", ANN, "name", "ann", "id", BOB, "name", "Ann");

    for (unsigned i = 0; i < OM_ARRAY_SIZE(anns); i++) {
        CHECK_OK(om_peer_pick(list, anns[i], id, &err));
        CHECK_STR(id, ANN);
    }
    CHECK_ERR(om_peer_pick(list, "ANN.LABS", id, &err), OM_E_MISSING);
    CHECK_OK(om_peer_pick(list, "bob", id, &err));
    CHECK_STR(id, BOB);
    CHECK_OK(om_peer_pick(twice, "Ann", id, &err)); /* as it is written comes first */
    CHECK_STR(id, BOB);
    CHECK_ERR(om_peer_pick(twice, "ANN", id, &err), OM_E_RANGE);
    json_decref(twice);
    json_decref(list);
}

OM_TEST(peer_name_may_have_its_network)
{
    char id[OM_ID_TEXT];
    struct om_error err;
    json_t *list = json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s}]", "id", ANN, "name", "ben", "network",
                             "lab", "id", BOB, "name", "ben", "network", "my home");

    CHECK_ERR(om_peer_pick(list, "ben", id, &err), OM_E_RANGE);
    CHECK(strstr(err.msg, "(ben.lab)") && strstr(err.msg, "(ben.my home)"));
    CHECK_OK(om_peer_pick(list, "ben.my home", id, &err));
    CHECK_STR(id, BOB);
    CHECK_OK(om_peer_pick(list, "ben.lab", id, &err));
    CHECK_STR(id, ANN);
    CHECK_ERR(om_peer_pick(list, "ben.club", id, &err), OM_E_MISSING);
    json_decref(list);
}
