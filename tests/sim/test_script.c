/* test_script.c - the grammar of scenarios, its mistakes, and verdicts. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include <omerta/prng.h>

#include "play.h"

static const char everything[] =
    "# a comment; with \"anything\" in it\n"
    "seed 7\n"
    "duration 2m\n"
    "network main open epoch=3\n"
    "network other open\n"
    "node a b network=main,other rekey=2s clock=+1h audit version=1..2 ciphers=chacha\n"
    "nat home full timeout=20s range=2000..2999\n"
    "nat flat port behind=home\n"
    "node c behind=flat gossip psk=wrong packets=100 load=10 peers=5 indices=6\n"
    "attacker mallory eve insider behind=home\n"
    "link * latency=20ms jitter=5ms loss=0.5% burst=4 dup=1% corrupt=0.01% queue=64k\n"
    "link a b rate=10M\n"
    "link a>c reorder=64 spacing=2ms good=0.1% bad=60%\n"
    "pipe neck rate=20M queue=100k loss=0.5% burst=9 good=0.1% bad=50% police=10M/30k\n"
    "pipe open\n"
    "through neck a>b c>b b>a\n"
    "\n"
    "at 0s a connect b; b connect a at=c,b in=other ; c connect a at=none\n"
    "at 1s a send b \"hi; there # you\" channel=x count=3 size=900 every=10ms\n"
    "at 1s a ping b; a close b; a epoch 4 in=other; a connect c expect=OM_E_FULL\n"
    "at 2s crash a; restart a fresh newkey; move a; clock a -10s; partition a b; heal a b\n"
    "at 2s partition a; heal a; link a b loss=1%; record a b; replay a b from eve times=2 own\n"
    "at 3s pipe neck rate=5M police=0; through none c>b; through open c>a c>b; measure pipe neck\n"
    "at 3s measure link a>b\n"
    "every 1s from 3s to 9s junk eve a rate=100 for=1s size=28..900 kind=initiation sources=8\n"
    "lan home a mallory\n"
    "lan away c\n"
    "at 3s lan home b c; lan none a\n"
    "by 5s session a b after 1s\n"
    "by 5s no session a c\n"
    "at 5s a got \"hi; there # you\" from b\n"
    "at 5s a got 3 from b\n"
    "at 5s a got >=3 from b\n"
    "at 5s a late < 60 from b\n"
    "at 5s a rtt b < 45ms\n"
    "at 5s a info drops.replay >= 3\n"
    "at 5s a peer b cipher = aes-256-gcm\n"
    "at 5s a peer b key_age < 3s\n"
    "at 5s a event peer_restarted from b = 2\n"
    "at 5s a event session_up\n"
    "never a sent > 0 to mallory after 1s until 9s\n"
    "never mallory heard > 0\n"
    "at 6s pipe neck used >= 95.5%\n"
    "by 7s pipe neck wait_p95 <= 12ms after 4s\n"
    "at 6s pipe neck rate < 5M\n"
    "never link a>b full > 3\n"
    "at 6s a up\n"
    "by 6s c knows = 4\n"
    "at 7s flush home moved; move a behind=flat; move b behind=none; a connect b seen=c\n"
    "at 7s a lie b candidate=eve in=main; a lie b seen=c expect=OM_E_NO_ROUTE\n"
    "never nat flat no_port >= 1 after 1s\n"
    "at 8s nat home in = 0\n"
    "at 8s a revokes b; a ousts b honour=3; b join a token=2 uses=3 age=1h; a certifies\n"
    "at 8s b voids token=2 uses=3; a blocks b\n"
    "at 9s b refused used\n";

static enum om_err parse(const char *text, struct sim_script **out, struct om_error *err)
{
    return sim_script_parse(out, "x.scn", om_bytes(text, strlen(text)), err);
}

OM_TEST(script_reads_every_statement)
{
    struct sim_script *s;
    struct om_error err = {.msg = ""};

    if (parse(everything, &s, &err) != OM_OK)
        fail_msg("%s", err.msg);
    CHECK_EQ(s->seed, 7);
    CHECK_EQ(s->end, OM_SEC(120));
    CHECK_EQ(s->network_count, 2);
    CHECK_EQ(s->networks[0].epoch, 3);
    CHECK_EQ(s->actor_count, 5);
    CHECK_EQ(s->actors[1].spec.network_count, 2);
    CHECK_EQ(s->actors[0].spec.skew, OM_SEC(3600));
    CHECK(s->actors[4].is_insider && s->actors[4].is_attacker);
    CHECK_EQ(s->deed_count, 3 + 5 + 3 + 1 + 4 + 6 + 5 + 5 + 1 + 1 + 3 + 3 + 4 + 2 + 6);
    CHECK_EQ(s->deeds[9].end_count, 2);
    CHECK_STR(s->deeds[11].text, "hi; there # you");
    CHECK_EQ(s->deeds[15].expect, OM_E_FULL);
    CHECK_EQ(s->check_count, 23);
    CHECK_EQ(s->pipe_count, 2);
    CHECK_EQ(s->deeds[2].link.value.loss.bad_ppm, 600000);
    CHECK_EQ(s->deeds[3].change.police_bps, 10000000);
    CHECK_EQ(s->deeds[3].change.police_bytes, 30 * 1024);
    CHECK_EQ(s->deeds[3].change.queue_bytes, 100 * 1024);
    CHECK_EQ(s->deeds[4].change.queue_bytes, UINT64_MAX); /* as it is */
    for (unsigned i = 5; i < 8; i++)                      /* three directions through one pipe */
        CHECK(s->deeds[i].verb == SIM_THROUGH && s->deeds[i].pipe == 0);
    CHECK(s->deeds[7].a == 1 && s->deeds[7].b == 0);
    CHECK(s->deeds[28].verb == SIM_THROUGH && s->deeds[28].pipe == -1);
    CHECK(s->deeds[32].verb == SIM_MEASURE && s->deeds[32].pipe == -1 && s->deeds[32].b == 1);
    CHECK_EQ(s->lan_count, 2);
    CHECK(s->deeds[35].verb == SIM_LAN && s->deeds[35].lan == 1 && s->deeds[35].a == 3);
    CHECK(s->deeds[36].lan == 2 && s->deeds[36].a == 2);
    CHECK(s->deeds[38].lan == 1 && s->deeds[38].a == 2);
    CHECK(s->deeds[39].lan == 0 && s->deeds[39].a == 0);
    CHECK_EQ(s->checks[14].number, 955000);
    CHECK_EQ(s->checks[15].number, OM_MS(12));
    CHECK_EQ(s->checks[16].number, 5000000);
    CHECK_EQ(s->checks[17].reading, SIM_READ_FULL);
    CHECK_EQ(s->checks[0].from, OM_SEC(1));
    CHECK(s->actors[2].spec.gossip && s->actors[2].spec.remembers && !s->actors[0].spec.gossip);
    CHECK(s->checks[19].fact == SIM_FACT_KNOWS && s->checks[19].number == 4);
    CHECK(s->nat_count == 2 && s->nats[0].outer == 0 && s->nats[1].outer == 1);
    CHECK(s->nats[0].model.timeout == OM_SEC(20) && s->nats[1].model.mapping == SIM_NAT_APD);
    CHECK(s->actors[2].spec.router == 2 && s->actors[4].spec.router == 1);
    CHECK(s->deeds[40].verb == SIM_FLUSH && s->deeds[40].nat == 1 && s->deeds[40].is_moved);
    CHECK(s->deeds[41].nat == 2 && s->deeds[42].nat == -1 && s->deeds[43].seen_by == 3);
    CHECK(s->deeds[44].verb == SIM_LIE && s->deeds[44].lie == SIM_LIE_CANDIDATE);
    CHECK(s->deeds[44].c == 4 && s->deeds[45].c == 2 && s->deeds[45].lie == SIM_LIE_SEEN);
    CHECK(s->checks[20].nat == 2 && s->checks[20].count == SIM_NAT_NO_PORT);
    CHECK(s->deeds[46].verb == SIM_REVOKE && s->deeds[47].verb == SIM_OUST);
    CHECK(s->deeds[49].verb == SIM_CERTIFY && s->deeds[49].a == 0);
    CHECK(s->deeds[50].verb == SIM_VOID && s->deeds[50].number == 2 && s->deeds[50].size == 3);
    CHECK(s->deeds[51].verb == SIM_BLOCK && s->deeds[51].b == 1);
    CHECK(s->deeds[47].number == 3 && s->deeds[48].verb == SIM_JOIN && s->deeds[48].size == 3);
    CHECK(s->checks[22].fact == SIM_FACT_REFUSED && s->checks[22].number == OM_JOIN_USED);
    CHECK_STR(s->checks[4].source, "at 5s a got >= 3 from b");
    sim_script_free(s);
}

static void check_error(const char *text, const char *sentence)
{
    struct sim_script *s;
    struct om_error err;

    CHECK_ERR(parse(text, &s, &err), OM_E_PARSE);
    if (!strstr(err.msg, sentence))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, sentence);
}

OM_TEST(script_errors_name_file_and_line)
{
    check_error("nod a\n", "x.scn:1: \"nod\", wanted seed, duration");
    check_error("node a\n\nat 1s a connect z\n", "x.scn:3: \"z\", wanted a node");
    check_error("node a b\nat 1s a lie b about=a", "x.scn:2: \"about=a\", wanted candidate=");
    check_error("node a b\nat 1s a conect b", "x.scn:2: \"conect\", wanted connect, send");
    check_error("node a b\nat 1 a connect b", "x.scn:2: \"1\", wanted a duration");
    check_error("node a b\nat 1s a send b hi", "x.scn:2: \"hi\", wanted a text in quotes");
    check_error("node a b\nat 1s a send b \"hi", "x.scn:2: a quote that stays open");
    check_error("node a b\nby 1s a got", "x.scn:2: nothing more here, wanted");
    check_error("node a b\nlink a b lss=1%", "x.scn:2: \"lss=1%\", wanted one of: latency=");
    check_error("node a b\nlink a b loss=101%", "wanted a share from 0% to 100%");
    check_error("node a b\nat 1s a info drop = 1", "wanted a member of om_node_info");
    check_error("node a a", "wanted a name that nobody has yet");
    check_error("node a b\nat 1s a ping b b", "wanted one of: in= expect=");
    check_error("node a b\nat 1s crash a crash b", "wanted ; or the end of the line");
    check_error("node a\nattacker m\nat 1s junk m a rate=1 for=1s kind=initiation",
                "wanted an attacker that is an insider");
    check_error("node a\nduration 1s\nat 2s a up", "x.scn: duration");
    check_error("node a\nat 1s record a a", "\"a\", wanted another actor");
    check_error("node a b\npipe a b", "x.scn:2: \"b\", wanted one of: rate=");
    check_error("pipe p\npipe p", "x.scn:2: \"p\", wanted a name that no pipe has yet");
    check_error("pipe none", "wanted a name that no pipe has yet");
    check_error("pipe p police=10M", "wanted a rate and a size such as 10M/64k");
    check_error("pipe p police=1/64k", "wanted bits per second from 1k");
    check_error("pipe p police=90G/64k", "wanted a policer of 1k to 34G");
    check_error("pipe p queue=2G", "wanted queue up to 1GiB");
    check_error("node a\nat 1s lan home a",
                "x.scn:2: \"home\", wanted a segment that was declared");
    check_error("node a\nlan home", "x.scn:2: nothing more here, wanted an actor that was");
    check_error("node a b\nthrough p a>b", "x.scn:2: \"p\", wanted a pipe that was declared");
    check_error("node a b\npipe p\nthrough p a b", "\"a\", wanted actors that were declared, as");
    check_error("node a b\npipe p\nthrough p", "x.scn:3: nothing more here, wanted actors");
    check_error("pipe p\nat 1s pipe p wait = 1", "wanted one of: rate=");
    check_error("pipe p\nby 1s pipe p wait = 1", "\"wait\", wanted what a meter tells");
    check_error("pipe p\nat 1s pipe p wait_p95 = 1", "\"1\", wanted a duration");
    check_error("pipe p\nat 1s pipe p used = 1", "\"1\", wanted a share");
    check_error("pipe p\nat 1s measure p", "\"p\", wanted pipe, link or a node");
    check_error("node a\nat 1s a knows = 1", "\"=\", wanted a node with gossip before knows");
    check_error("node a \x01", "x.scn:1: byte 1, wanted text");
}

OM_TEST(script_errors_about_boxes)
{
    check_error("nat n odd", "x.scn:1: \"odd\", wanted a kind of natkind.h");
    check_error("nat none full", "wanted a name that no NAT has yet");
    check_error("nat n full\nnat n full", "x.scn:2: \"n\", wanted a name that no NAT has yet");
    check_error("nat n full timeout=0s", "\"timeout=0s\", wanted a property of natkind.h");
    check_error("nat n full behind=m", "\"behind=m\", wanted a NAT that was declared");
    check_error("nat n block range=1..9", "wanted a block that fits into the range");
    check_error("node a behind=n", "wanted a NAT that was declared");
    check_error("nat n full\nnode a\nat 1s move a behind=m",
                "wanted a NAT that was declared, or n");
    check_error("at 1s flush n", "\"n\", wanted a NAT that was declared");
    check_error("nat n full\nnat m full behind=n\nat 1s flush m moved",
                "wanted a public NAT to move");
    check_error("nat n full\nat 1s nat n lost = 1", "\"lost\", wanted what a NAT counts");
    check_error("node a b\nat 1s a connect b seen=c", "wanted an actor that was declared");
}

/* Cuts, repeats and overwrites the text at random: an answer, never a crash. */
OM_TEST(script_any_bytes_are_answered)
{
    char text[2 * sizeof everything];
    struct om_prng prng;
    unsigned fine = 0;

    om_prng_seed(&prng, 5);
    for (unsigned i = 0; i < 3000; i++) {
        size_t n = sizeof everything - 1;
        memcpy(text, everything, n);
        for (uint64_t k = om_prng_below(&prng, 4); k > 0; k--)
            text[om_prng_below(&prng, n)] = (char)om_prng_u64(&prng);
        if (om_prng_chance(&prng, 0.5))
            n = om_prng_below(&prng, n);
        char *exact = malloc(n + 1); /* so that a sanitizer sees a read past the end */
        if (!exact)
            break;
        memcpy(exact, text, n);
        struct sim_script *s;
        struct om_error err;
        if (sim_script_parse(&s, "x.scn", om_bytes(exact, n), &err) == OM_OK) {
            sim_script_free(s);
            fine++;
        } else {
            CHECK(strncmp(err.msg, "x.scn:", 6) == 0);
        }
        free(exact);
    }
    CHECK(fine > 100);
}

static bool play(const char *text, struct sim_result *r)
{
    const struct sim_play_options o = {.out = NULL};
    struct sim_script *s;
    struct om_error err;

    if (parse(text, &s, &err) != OM_OK)
        fail_msg("%s", err.msg);
    bool held = sim_play(s, &o, r);
    sim_script_free(s);
    return held;
}

static const char two[] = "node a b\n"
                          "at 0s a connect b\n"
                          "at 1s a send b \"hi\"\n"
                          "by 2s b got \"hi\" from a\n";

OM_TEST(play_same_text_same_hash)
{
    struct sim_result one, other;

    CHECK(play(two, &one));
    CHECK(play(two, &other));
    CHECK_EQ(one.held, 1);
    CHECK_EQ(one.delivered, 1);
    CHECK_STR(one.hash, other.hash);
}

OM_TEST(play_failed_check_tells_line_and_sight)
{
    struct sim_result r;

    CHECK(!play("node a b\n"
                "at 0s a connect b\n"
                "by 5s session a b\n"
                "at 5s b got 3 from a\n",
                &r));
    CHECK_EQ(r.held, 1);
    CHECK_EQ(r.failed, 1);
    CHECK_STR(r.first, "x.scn:4: seen 0");
    CHECK(!play("node a b\nat 0s a connect b\nnever session a b\n", &r));
    CHECK_STR(r.first, "x.scn:3: seen a holds one, b holds one");
}

/* Two pairs through one pipe have half of what either has alone, and checks can tell. The two are
 * out of step, or the same one would find the queue full each time. */
OM_TEST(play_pairs_compete_for_a_pipe)
{
    static const char alone[] = "node a b c d\n"
                                "pipe neck rate=1M queue=20k\n"
                                "through neck a>b c>d\n"
                                "at 0s a connect b; c connect d\n"
                                "at 1s measure pipe neck; measure link a>b\n"
                                "at 1s a send b \"x\" size=1000 count=2000 every=5ms\n"
                                "at 11s pipe neck used > 99%\n"
                                "at 11s pipe neck wait_max <= 164ms\n"
                                "at 11s pipe neck rate > 980k\n"
                                "at 11s link a>b packets_in > 1000\n"
                                "at 11s b got > 1000 from a\n";
    char both[2 * sizeof alone];
    struct sim_result r;

    if (!play(alone, &r))
        fail_msg("%s", r.first);
    snprintf(both, sizeof both, "%sat 1s c send d \"y\" size=1000 count=2000 every=4900us\n",
             alone);
    CHECK(!play(both, &r));
    CHECK_EQ(r.failed, 2); /* neither 1,000 into the link nor out of it */
}

OM_TEST(play_refused_deed_fails_unless_expected)
{
    struct sim_result r;

    CHECK(!play("node a b\nat 0s a send b \"hi\"\n", &r));
    CHECK_STR(r.broken, "x.scn:2: a send b: OM_E_MISSING, wanted OM_OK");
    CHECK(play("node a b\nat 0s a send b \"hi\" expect=OM_E_MISSING\n", &r));
    CHECK(!play("node a b\nat 0s a connect b expect=OM_E_MISSING\n", &r));
    CHECK_STR(r.broken, "x.scn:2: a connect b: OM_OK, wanted OM_E_MISSING");
}

OM_TEST(script_gossip_is_remembered)
{
    static const char text[] = "node a b c gossip\n"
                               "at 0s b connect a; c connect a\n"
                               "by 20s b knows = 2\n"
                               "at 30s crash b; crash a; crash c\n"
                               "at 31s restart b\n"
                               "at 32s b knows = 2\n"
                               "at 33s crash b\n"
                               "at 34s restart b fresh\n"
                               "at 35s b knows = 0\n"
                               "never b knows = 2 after 35s until 36s\n";
    struct sim_result r;
    play(text, &r);
    CHECK_EQ(r.failed, 0);
    CHECK_EQ(r.held, 4);
    CHECK_STR(r.broken, "");
}
