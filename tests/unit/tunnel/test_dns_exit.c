/* test_dns_exit.c - questions to a resolver of our own, on the loopback. */
#include "harness.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netstack/dns/message.h"
#include "tunnel/host/dns_exit.h"

enum { LONG = 4000, ANSWER_MAX = 8192 };

/* What the resolver does with a question for a name that begins like this. */
enum does { SAYS_ADDR, SAYS_NOTHING, SAYS_NONE, SAYS_CUT, SAYS_OTHER, SAYS_RUBBISH, SAYS_REFUSED };

static const char *const kinds[] = {"addr",  "nothing", "none",   "cut",
                                    "other", "rubbish", "refused"};

struct rig {
    uv_loop_t loop;
    uv_udp_t udp;
    uv_tcp_t tcp, client;
    struct om_dns_exit *exit;
    struct om_addr at;
    unsigned asked, asked_tcp;
    uint16_t last_id;
    bool has_client;
    uint8_t in[600], out[ANSWER_MAX];
    /* what came back */
    unsigned answers;
    uint8_t answer[ANSWER_MAX];
    size_t n;
    enum om_dns_found found;
    struct om_addr addrs[OM_DNS_FOUND_MAX];
    unsigned count;
};

static void fill(void *self OM_UNUSED, void *dst, size_t n)
{
    static uint8_t next;

    for (size_t i = 0; i < n; i++)
        ((uint8_t *)dst)[i] = ++next;
}

static void on_alloc(uv_handle_t *h, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    struct rig *r = h->data;

    *buf = uv_buf_init((char *)r->in, sizeof r->in);
}

static enum does kind_of(const struct om_dns_question *q)
{
    for (unsigned i = 0; i < OM_ARRAY_SIZE(kinds); i++)
        if (q->name.b[0] >= strlen(kinds[i]) &&
            memcmp(q->name.b + 1, kinds[i], strlen(kinds[i])) == 0)
            return (enum does)i;
    return SAYS_NONE;
}

/* LONG bytes of TXT records. */
static size_t write_long(struct om_mut out, const struct om_dns_question *q)
{
    struct om_wr w = om_wr(out);
    static const uint8_t text[201] = {200, 'x'};
    unsigned records = LONG / 213;

    om_wr_u16(&w, q->id);
    om_wr_u16(&w, OM_DNS_QR | OM_DNS_RD | OM_DNS_RA);
    om_wr_u16(&w, 1);
    om_wr_u16(&w, (uint16_t)records);
    om_wr_u32(&w, 0);
    om_wr_copy(&w, q->name.b, q->name.n);
    om_wr_u16(&w, q->type);
    om_wr_u16(&w, q->klass);
    for (unsigned i = 0; i < records; i++) {
        om_wr_u16(&w, 0xc00c);
        om_wr_u16(&w, OM_DNS_TXT);
        om_wr_u16(&w, OM_DNS_IN);
        om_wr_u32(&w, 60);
        om_wr_u16(&w, sizeof text);
        om_wr_copy(&w, text, sizeof text);
    }
    return om_wr_len(&w);
}

/* The answer to the message @in, to r->out. */
static size_t reply(struct rig *r, struct om_bytes in, bool is_tcp)
{
    const struct om_addr addr = om_addr_v4(0xc0000201, 0);
    struct om_dns_reply how = {.ttl = 60};
    struct om_mut out = om_mut(r->out, sizeof r->out);
    struct om_dns_question q;

    if (om_dns_question_parse(&q, in) != OM_DNS_BAD_NONE)
        return 0;
    r->last_id = q.id;
    switch (kind_of(&q)) {
    case SAYS_NOTHING:
        return 0;
    case SAYS_ADDR:
        how.addrs = &addr;
        how.n_addrs = 1;
        break;
    case SAYS_CUT:
        return is_tcp ? write_long(out, &q)
                      : om_dns_reply_write(om_mut(r->out, OM_DNS_HEAD + (size_t)q.name.n + 4), &q,
                                           &(struct om_dns_reply){.txt = "does not fit"});
    case SAYS_OTHER:
        q.name.b[1] ^= 0x20;
        break;
    case SAYS_RUBBISH: { /* promises records that are not there */
        size_t n = om_dns_reply_write(out, &q, &how);
        r->out[7] = 9;
        return n;
    }
    case SAYS_REFUSED:
        how.rcode = OM_DNS_REFUSED;
        break;
    case SAYS_NONE:
        how.rcode = OM_DNS_NXDOMAIN;
        how.is_ours = true;
        how.apex = "test";
        break;
    }
    return om_dns_reply_write(out, &q, &how);
}

static void on_udp(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                   unsigned flags OM_UNUSED)
{
    struct rig *r = u->data;

    if (n <= 0 || !from)
        return;
    r->asked++;
    uv_buf_t v = {.base = (char *)r->out, .len = reply(r, om_bytes(buf->base, (size_t)n), false)};
    if (v.len > 0)
        (void)uv_udp_try_send(u, &v, 1, from);
}

static void on_tcp(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct rig *r = s->data;

    if (n <= 2) /* the question comes in one piece */
        return;
    r->asked_tcp++;
    size_t size = reply(r, om_bytes(buf->base + 2, (size_t)n - 2), true);
    uint8_t head[2] = {(uint8_t)(size >> 8), (uint8_t)size};
    uv_buf_t v[2] = {{.base = (char *)head, .len = 2}, {.base = (char *)r->out, .len = size}};
    (void)uv_try_write(s, v, 2);
}

static void on_connection(uv_stream_t *listener, int status OM_UNUSED)
{
    struct rig *r = listener->data;

    if (r->has_client || uv_tcp_init(&r->loop, &r->client) < 0)
        return;
    r->has_client = true;
    r->client.data = r;
    if (uv_accept(listener, (uv_stream_t *)&r->client) == 0)
        (void)uv_read_start((uv_stream_t *)&r->client, on_alloc, on_tcp);
}

/* A port that is free for UDP and for TCP: the system gives one, and the other may be in use. */
static bool find_port(struct sockaddr_in *at)
{
    bool is_found = false;

    for (int tries = 0; tries < 64 && !is_found; tries++) {
        int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
        socklen_t n = sizeof *at;
        at->sin_port = 0;
        is_found = bind(tcp, (const struct sockaddr *)at, n) == 0 &&
                   getsockname(tcp, (struct sockaddr *)at, &n) == 0 &&
                   bind(udp, (const struct sockaddr *)at, n) == 0;
        close(udp);
        close(tcp);
    }
    return is_found;
}

/* A resolver at a free port, for UDP and TCP. */
static bool serve(struct rig *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in got;
    int n = sizeof got;

    if (!find_port(&at))
        return false;
    r->udp.data = r->tcp.data = r;
    if (uv_udp_bind(&r->udp, (const struct sockaddr *)&at, 0) < 0 ||
        uv_udp_getsockname(&r->udp, (struct sockaddr *)&got, &n) < 0 ||
        uv_udp_recv_start(&r->udp, on_alloc, on_udp) < 0 ||
        uv_tcp_bind(&r->tcp, (const struct sockaddr *)&got, 0) < 0 ||
        uv_listen((uv_stream_t *)&r->tcp, 4, on_connection) < 0)
        return false;
    r->at = om_addr_v4(INADDR_LOOPBACK, ntohs(got.sin_port));
    return true;
}

static void close_rig(struct rig *r)
{
    om_dns_exit_close(r->exit);
    uv_close((uv_handle_t *)&r->udp, NULL);
    uv_close((uv_handle_t *)&r->tcp, NULL);
    if (r->has_client)
        uv_close((uv_handle_t *)&r->client, NULL);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&r->loop), 0);
    free(r);
}

static struct rig *open_rig(void)
{
    struct rig *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    CHECK_EQ(uv_loop_init(&r->loop), 0);
    CHECK_EQ(uv_udp_init(&r->loop, &r->udp), 0);
    CHECK_EQ(uv_tcp_init(&r->loop, &r->tcp), 0);
    const struct om_dns_exit_config config = {
        .loop = &r->loop, .rng = {.fill = fill}, .upstreams = &r->at, .count = 1};
    bool is_served = serve(r);
    CHECK(is_served);
    if (om_dns_exit_open(&r->exit, &config) != OM_OK) {
        close_rig(r);
        return NULL;
    }
    return r;
}

static void on_answered(void *self, struct om_bytes answer)
{
    struct rig *r = self;

    r->answers++;
    r->n = answer.n;
    CHECK(answer.n <= sizeof r->answer);
    memcpy(r->answer, answer.p, answer.n);
    uv_stop(&r->loop);
}

static void on_resolved(void *self, enum om_dns_found found, const struct om_addr *addrs,
                        unsigned count)
{
    struct rig *r = self;

    r->answers++;
    r->found = found;
    r->count = count;
    CHECK_EQ(found == OM_DNS_FOUND, count > 0);
    if (count > 0)
        memcpy(r->addrs, addrs, count * sizeof *addrs);
    uv_stop(&r->loop);
}

static struct om_dns_question question(const char *name, uint16_t type, uint16_t id)
{
    struct om_dns_question q = {.id = id, .flags = OM_DNS_RD, .type = type, .klass = OM_DNS_IN};

    CHECK(om_dns_name_from(&q.name, name));
    return q;
}

static const struct om_id somebody = {.b = {1}};

static enum om_err begin_for(struct rig *r, const struct om_id *who,
                             const struct om_dns_question *q, struct om_dns_query **out)
{
    uint8_t wire[OM_DNS_UDP_LEAST];
    size_t n = om_dns_question_write(om_mut(wire, sizeof wire), q);

    return om_dns_exit_ask(out, r->exit, who, om_bytes(wire, n), on_answered, r);
}

static enum om_err begin(struct rig *r, const struct om_dns_question *q, struct om_dns_query **out)
{
    return begin_for(r, &somebody, q, out);
}

/* Asks and waits; the rcode, or -1 without memory. */
static int ask(struct rig *r, const char *name, uint16_t type)
{
    const struct om_dns_question q = question(name, type, 4711);
    unsigned before = r->answers;
    struct om_dns_query *query;

    r->n = 0;
    enum om_err e = begin(r, &q, &query);
    if (e != OM_OK) {
        CHECK_ERR(e, OM_E_NO_MEM);
        return -1;
    }
    CHECK_EQ(r->answers, before); /* later */
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK_EQ(r->answers, before + 1);
    CHECK(om_dns_is_answer(&q, om_bytes(r->answer, r->n)));
    return r->answer[3] & OM_DNS_RCODE;
}

static enum om_dns_found resolve(struct rig *r, const char *host)
{
    struct om_dns_query *query;

    if (om_dns_exit_resolve(&query, r->exit, &somebody, host, 80, on_resolved, r) != OM_OK)
        return OM_DNS_FAILED;
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    return r->found;
}

OM_TEST(dns_exit_asks_and_gives_the_whole_answer)
{
    struct rig *r = open_rig();

    if (!r)
        return;
    int rcode = ask(r, "addr.test", OM_DNS_A);
    if (rcode >= 0) {
        CHECK_EQ(rcode, OM_DNS_NOERROR);
        CHECK_EQ(r->asked, 1);
        CHECK(r->last_id != 4711); /* an id of ours */
        CHECK_MEM(r->answer + r->n - 4, "\xc0\0\2\1", 4);
    }
    rcode = ask(r, "none.test", OM_DNS_A);
    CHECK(rcode < 0 || rcode == OM_DNS_NXDOMAIN);
    rcode = ask(r, "refused.test", OM_DNS_A);
    CHECK(rcode < 0 || rcode == OM_DNS_SERVFAIL); /* no other resolver is left */
    rcode = ask(r, "addr.test", 252);             /* a zone transfer is not ours to ask for */
    CHECK(rcode < 0 || rcode == OM_DNS_NOTIMP || rcode == OM_DNS_NOERROR);
    close_rig(r);
}

OM_TEST(dns_exit_remembers_and_ages)
{
    struct rig *r = open_rig();

    if (!r)
        return;
    if (ask(r, "addr.test", OM_DNS_A) == OM_DNS_NOERROR &&
        ask(r, "ADDR.test", OM_DNS_A) == OM_DNS_NOERROR) {
        CHECK(r->asked <= 2);
        CHECK_MEM(r->answer + OM_DNS_HEAD + 1, "ADDR", 4); /* case and id of who asks */
    }
    unsigned asked = r->asked;
    om_dns_exit_again(r->exit, &r->at, 1);
    if (ask(r, "addr.test", OM_DNS_A) == OM_DNS_NOERROR)
        CHECK_EQ(r->asked, asked + 1);
    close_rig(r);
}

OM_TEST(dns_exit_takes_long_answers)
{
    struct rig *r = open_rig();

    if (!r)
        return;
    if (ask(r, "cut.test", OM_DNS_TXT) >= 0) {
        CHECK(r->n > LONG / 2);
        CHECK(r->asked == 1 && r->asked_tcp == 1);
    }
    close_rig(r);
}

OM_TEST(dns_exit_drops_what_is_no_answer)
{
    struct rig *r = open_rig();

    if (!r)
        return;
    int rcode = ask(r, "rubbish.test", OM_DNS_A);
    CHECK(rcode < 0 || rcode == OM_DNS_SERVFAIL);
    rcode = ask(r, "other.test", OM_DNS_A);
    CHECK(rcode < 0 || rcode == OM_DNS_SERVFAIL);
    struct om_dns_query *q;
    CHECK_ERR(om_dns_exit_ask(&q, r->exit, &somebody, om_bytes("rubbish", 7), on_answered, r),
              OM_E_PARSE);
    close_rig(r);
}

OM_TEST(dns_exit_gives_up_in_time)
{
    struct rig *r = open_rig();

    if (!r)
        return;
    uint64_t before = uv_hrtime();
    int rcode = ask(r, "nothing.test", OM_DNS_A);
    CHECK(rcode < 0 || rcode == OM_DNS_SERVFAIL);
    CHECK((uv_hrtime() - before) / 1000000 < OM_DNS_GIVE_UP_MS + 500);
    close_rig(r);
}

OM_TEST(dns_exit_can_be_cancelled)
{
    const struct om_dns_question q = question("addr.test", OM_DNS_A, 1);
    struct rig *r = open_rig();
    struct om_dns_query *first, *second, *third;

    if (!r)
        return;
    bool is_begun = begin(r, &q, &first) == OM_OK;
    if (is_begun)
        om_dns_query_cancel(first); /* before it was sent */
    if (begin(r, &q, &second) == OM_OK) {
        (void)uv_run(&r->loop, UV_RUN_NOWAIT);
        om_dns_query_cancel(second); /* under way */
    }
    if (om_dns_exit_resolve(&third, r->exit, &somebody, "addr.test", 1, on_resolved, r) == OM_OK) {
        (void)uv_run(&r->loop, UV_RUN_NOWAIT);
        om_dns_query_cancel(third);
    }
    if (begin(r, &q, &first) == OM_OK)
        (void)uv_run(&r->loop, UV_RUN_NOWAIT); /* this one ends with the exit */
    unsigned answers = r->answers;
    om_dns_exit_close(r->exit);
    r->exit = NULL;
    CHECK_EQ(r->answers, answers);
    close_rig(r);
}

/* As many questions of @who as are taken, the last of them to @last; why not one more. */
static enum om_err fill_up(struct rig *r, const struct om_id *who, unsigned *n,
                           struct om_dns_query **last)
{
    const struct om_dns_question q = question("addr.test", OM_DNS_A, 1);
    enum om_err e;

    for (*n = 0; (e = begin_for(r, who, &q, last)) == OM_OK; (*n)++)
        CHECK(*n < OM_DNS_QUERIES_MAX);
    return e;
}

/* What is held against @r, in which one asker has all that he gets. */
static void check_full(struct rig *r)
{
    static const struct om_id other = {.b = {2}};
    struct om_dns_query *query;

    CHECK_EQ(om_dns_exit_resolve(&query, r->exit, &somebody, "addr.test", 80, on_resolved, r),
             OM_E_FULL); /* a host to connect to takes such a place too */
    enum om_err e =
        om_dns_exit_resolve(&query, r->exit, &somebody, "127.0.0.1", 80, on_resolved, r);
    CHECK(e == OM_OK || e == OM_E_NO_MEM); /* an address needs nobody's answer */
    e = om_dns_exit_resolve(&query, r->exit, &other, "addr.test", 80, on_resolved, r);
    CHECK(e == OM_OK || e == OM_E_NO_MEM);
    if (e == OM_OK)
        om_dns_query_cancel(query);
}

/* Whoever comes takes all that there is for him, until not one place is left. */
OM_TEST(dns_exit_is_bounded)
{
    const struct om_dns_question q = question("addr.test", OM_DNS_A, 1);
    struct rig *r = open_rig();
    struct om_dns_query *query;
    unsigned n, sum;

    if (!r)
        return;
    enum om_err e = fill_up(r, &somebody, &n, &query);
    if (e == OM_E_FULL) {
        CHECK_EQ(n, OM_DNS_QUERIES_MAX / 2);
        check_full(r);
        om_dns_query_cancel(query); /* has its place until it is gone */
        CHECK_EQ(begin(r, &q, &query), OM_E_FULL);
    }
    sum = n + 1; /* and that of check_full() */
    for (struct om_id who = {.b = {3}}; e == OM_E_FULL && n > 0; who.b[0]++) {
        e = fill_up(r, &who, &n, &query);
        sum += n;
    }
    CHECK(e == OM_E_NO_MEM || sum == OM_DNS_QUERIES_MAX);
    close_rig(r);
}

OM_TEST(dns_exit_finds_addresses)
{
    struct rig *r = open_rig();

    if (!r)
        return;
    if (resolve(r, "2001:db8::1") == OM_DNS_FOUND) {
        CHECK_EQ(r->asked, 0);
        CHECK(r->count == 1 && r->addrs[0].ip[15] == 1 && r->addrs[0].port == 80);
    }
    if (resolve(r, "addr.test") == OM_DNS_FOUND) {
        CHECK_EQ(r->count, 1);
        CHECK(om_addr_is_v4(&r->addrs[0]) && r->addrs[0].port == 80);
    }
    if (resolve(r, "localhost") == OM_DNS_FOUND)
        CHECK_EQ(om_addr_classify(&r->addrs[0]), OM_ADDR_LOOPBACK);
    close_rig(r);
}

OM_TEST(dns_exit_says_why_not)
{
    struct rig *r = open_rig();

    if (!r)
        return;
    enum om_dns_found found = resolve(r, "none.test");
    CHECK(found == OM_DNS_NO_SUCH_HOST || found == OM_DNS_FAILED);
    found = resolve(r, "nothing.test");
    CHECK(found == OM_DNS_NO_ANSWER || found == OM_DNS_FAILED);
    struct om_dns_query *q;
    char host[300];
    memset(host, 'x', sizeof host - 1);
    host[sizeof host - 1] = 0;
    CHECK_ERR(om_dns_exit_resolve(&q, r->exit, &somebody, host, 1, on_resolved, r), OM_E_RANGE);
    close_rig(r);
}
