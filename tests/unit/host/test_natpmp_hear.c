/* test_natpmp_hear.c - announcements of the gateway and of others, on the loopback. */
#include "harness.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <omerta/attr.h>

#include "host/natpmp_hear.h"
#include "netns.h"

struct rig {
    uv_loop_t loop;
    struct om_natpmp_hear *h;
    uv_udp_t *udp;
    unsigned words;
};

static uint32_t its_address;

static uint32_t gateway(void)
{
    return its_address;
}

static void on_word(void *self)
{
    struct rig *r = self;

    r->words++;
}

static const uint8_t word[] = {0, 128, 0, 0, 0, 0, 0, 1, 11, 0, 0, 1};

static const uint8_t announce[24] = {2, 128};

static void send_word(uint16_t from_port, const uint8_t *bytes, size_t n)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(from_port)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(OM_NATPMP_HEAR_PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    from.sin_addr.s_addr = to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
    CHECK_EQ(sendto(fd, bytes, n, 0, (const struct sockaddr *)&to, sizeof to), (ssize_t)n);
    close(fd);
}

/* What was sent to the loopback is there when sendto() returns. */
static void run(struct rig *r)
{
    (void)uv_run(&r->loop, UV_RUN_NOWAIT);
}

static enum om_err open_it(struct rig *r)
{
    const struct om_natpmp_hear_config c = {
        .loop = &r->loop, .on_word = on_word, .self = r, .gateway = gateway};

    *r = (struct rig){.words = 0};
    CHECK_EQ(uv_loop_init(&r->loop), 0);
    return om_natpmp_hear_open(&r->h, &c);
}

static void close_it(struct rig *r)
{
    om_natpmp_hear_close(r->h);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&r->loop), 0);
}

OM_TEST(natpmp_hear_reports_the_gateway)
{
    struct rig r;

    if (netns_enter())
        skip();
    its_address = htonl(INADDR_LOOPBACK);
    OM_TRY(open_it(&r) == OM_OK);
    send_word(5351, word, sizeof word);
    run(&r);
    CHECK_EQ(r.words, 1);
    om_natpmp_hear_close(r.h);
    (void)uv_run(&r.loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&r.loop), 0);
    OM_TRY(open_it(&r) == OM_OK);
    send_word(5351, announce, sizeof announce);
    run(&r);
    CHECK_EQ(r.words, 1);
out:
    close_it(&r);
}

OM_TEST(natpmp_hear_ignores_others)
{
    static const uint8_t request[12] = {0, 0}, newer[12] = {2, 128};
    struct rig r;

    if (netns_enter())
        skip();
    its_address = htonl(INADDR_LOOPBACK);
    OM_TRY(open_it(&r) == OM_OK);
    send_word(5352, word, sizeof word);
    send_word(5351, word, sizeof word - 1);
    send_word(5351, request, sizeof request);
    send_word(5351, newer, sizeof newer);
    run(&r);
    CHECK_EQ(r.words, 0);
    its_address = htonl(0x0a000001);
    send_word(5351, word, sizeof word);
    run(&r);
    CHECK_EQ(r.words, 0);
    /* Control: test natpmp_hear_reports_the_gateway. */
out:
    close_it(&r);
}

OM_TEST(natpmp_hear_reports_at_a_pace)
{
    struct rig r;

    if (netns_enter())
        skip();
    its_address = htonl(INADDR_LOOPBACK);
    OM_TRY(open_it(&r) == OM_OK);
    for (unsigned i = 0; i < 20; i++)
        send_word(5351, word, sizeof word);
    run(&r);
    CHECK_EQ(r.words, 1);
out:
    close_it(&r);
}
