/* natpmp_hear.c - one socket, and whose words they are. */
#include "natpmp_hear.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "gateway.h"

enum { ROUTER_PORT = 5351, NATPMP_BYTES = 12, PCP_BYTES = 24, PCP = 2, RESPONSE = 128 };

struct om_natpmp_hear {
    struct om_natpmp_hear_config config;
    uv_udp_t udp;
    om_time next; /* nothing is heard before */
    char bytes[64];
};

static void on_room(uv_handle_t *handle, size_t wanted OM_UNUSED, uv_buf_t *out)
{
    struct om_natpmp_hear *h = handle->data;

    *out = uv_buf_init(h->bytes, sizeof h->bytes);
}

/* Of NAT-PMP: its outside address; of PCP, which newer routers speak there: ANNOUNCE. */
static bool is_word(const char *bytes, ssize_t n)
{
    bool is_natpmp = n == NATPMP_BYTES && bytes[0] == 0;
    bool is_pcp = n == PCP_BYTES && bytes[0] == PCP;

    return (is_natpmp || is_pcp) && (uint8_t)bytes[1] == RESPONSE;
}

static void on_bytes(uv_udp_t *udp, ssize_t n, const uv_buf_t *in, const struct sockaddr *from,
                     unsigned flags OM_UNUSED)
{
    struct om_natpmp_hear *h = udp->data;
    om_time now = om_clock_now();
    struct sockaddr_in v4;

    if (!from || from->sa_family != AF_INET || !is_word(in->base, n) || now < h->next)
        return;
    memcpy(&v4, from, sizeof v4);
    if (ntohs(v4.sin_port) != ROUTER_PORT)
        return;
    /* Also when it is not the gateway's: asking the kernel for it is not free. */
    h->next = now + OM_SEC(OM_NATPMP_HEAR_PACE_S);
    if (v4.sin_addr.s_addr == h->config.gateway())
        h->config.on_word(h->config.self);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum om_err om_natpmp_hear_open(struct om_natpmp_hear **out,
                                const struct om_natpmp_hear_config *config)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(OM_NATPMP_HEAR_PORT)};
    struct om_natpmp_hear *h = calloc(1, sizeof *h);

    if (!h)
        return OM_E_NO_MEM;
    h->config = *config;
    if (!h->config.gateway)
        h->config.gateway = gateway_find;
    if (uv_udp_init(config->loop, &h->udp) != 0) {
        free(h);
        return OM_E_STATE;
    }
    h->udp.data = h;
    /* Of 224.0.0.1 every host is a member, so there is nothing to join. */
    if (uv_udp_bind(&h->udp, (const struct sockaddr *)&at, UV_UDP_REUSEADDR) != 0 ||
        uv_udp_recv_start(&h->udp, on_room, on_bytes) != 0) {
        uv_close((uv_handle_t *)&h->udp, on_closed);
        return OM_E_STATE;
    }
    *out = h;
    return OM_OK;
}

void om_natpmp_hear_close(struct om_natpmp_hear *h)
{
    if (h)
        uv_close((uv_handle_t *)&h->udp, on_closed);
}
