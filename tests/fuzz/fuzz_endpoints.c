/*
 * fuzz_endpoints.c - the candidates that a peer names: any bytes
 *
 * What decodes gives the same bytes again, and of what it names nothing may be probed that is not
 * a unicast address outside of this machine.
 */
#include <omerta/wire.h>

#include "fuzz.h"
#include "path/endpoint.h"

static void check_taken(const struct om_endpoint_view *v, const struct om_endpoints *said)
{
    uint64_t why[OM_ENDPOINT_VERDICTS] = {0}, sum = 0;
    struct om_endpoints l;

    om_endpoints_take(&l, v, said, why);
    for (unsigned i = 0; i < OM_ENDPOINT_VERDICTS; i++)
        sum += why[i];
    FUZZ_MUST(sum == said->count && l.count <= why[OM_ENDPOINT_OK]);
    for (unsigned i = 0; i < l.count; i++) {
        const struct om_addr *a = &l.ends[i].addr;
        enum om_addr_class c = om_addr_classify(a);
        FUZZ_MUST(a->port != 0 && !om_addr_equal(a, &v->own[0]));
        FUZZ_MUST(c == OM_ADDR_GLOBAL || om_cidr_contains(&v->near[0], a));
        FUZZ_MUST(c != OM_ADDR_LOOPBACK && c != OM_ADDR_MULTICAST && c != OM_ADDR_METADATA &&
                  c != OM_ADDR_UNSPECIFIED);
        for (unsigned k = 0; k < i; k++)
            FUZZ_MUST(!om_addr_equal(a, &l.ends[k].addr));
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct om_endpoint_view v = {.own_count = 1, .near_count = 1};
    uint8_t again[OM_ENDPOINTS_BYTES_MAX];
    uint8_t *copy = fuzz_copy(data, size);
    struct om_endpoints said;

    v.own[0] = om_addr_v4(0x08080808, 7000);
    FUZZ_MUST(om_cidr_parse(&v.near[0], "192.168.7.0/24", NULL) == OM_OK);
    if (om_endpoints_decode(&said, om_bytes(copy, size)) == OM_OK) {
        FUZZ_MUST(om_endpoints_encode(again, &said) == size);
        FUZZ_MUST(memcmp(again, copy, size) == 0);
        check_taken(&v, &said);
    }
    free(copy);
    return 0;
}
