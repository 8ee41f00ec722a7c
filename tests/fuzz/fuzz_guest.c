/*
 * fuzz_guest.c - what the host writes to a guest's agent: any bytes
 *
 * The first byte says in which pieces they come; lines and bodies must be those of the same bytes
 * at once. Greetings, which are told by the pieces they come in, are left to the unit tests: here
 * no time passes.
 */
#include "fuzz.h"
#include "vm/guest/order.h"
#include "vm/guest/reader.h"

static uint64_t sum_of(uint64_t sum, struct om_bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        sum = sum * 31 + b.p[i];
    return sum;
}

static uint64_t obey(struct guest_reader *r, struct om_bytes line)
{
    uint8_t *copy = fuzz_copy(line.p, line.n);
    struct guest_order o = guest_order_read(om_bytes(copy, line.n + FUZZ_SLACK));

    free(copy);
    FUZZ_MUST(memchr(o.id, '\0', sizeof o.id) && memchr(o.path, '\0', sizeof o.path));
    FUZZ_MUST(memchr(o.language, '\0', sizeof o.language));
    FUZZ_MUST(o.kind == GUEST_NO_ORDER || o.id[0]);
    FUZZ_MUST((o.kind == GUEST_REFUSED) == (o.why != NULL));
    FUZZ_MUST(o.path[0] == '\0' || o.path[0] == '/');
    if (guest_order_has_body(&o))
        guest_reader_body(r, o.number);
    return (uint64_t)o.kind + o.number;
}

static uint64_t feed(struct om_bytes in, size_t piece)
{
    struct guest_reader *r = calloc(1, sizeof *r);
    struct guest_item i;
    uint64_t sum = 0;

    FUZZ_MUST(r != NULL);
    for (size_t used = 0, n; used < in.n; used += n) {
        struct om_mut room = guest_reader_room(r);
        n = in.n - used < piece ? in.n - used : piece;
        FUZZ_MUST(room.n >= n && room.n >= GUEST_INPUT - GUEST_LINE_MAX);
        memcpy(room.p, in.p + used, n);
        guest_reader_fed(r, 0, n);
        while ((i = guest_reader_next(r)).kind != GUEST_NOTHING) {
            FUZZ_MUST(i.kind != GUEST_CUT);
            if (i.kind == GUEST_LONG)
                sum = sum * 31 + 1; /* how much of its end was kept depends on the pieces */
            else
                sum = sum_of(sum, i.bytes);
            if (i.kind == GUEST_LINE)
                sum = sum * 31 + obey(r, i.bytes);
        }
    }
    sum += r->body;
    free(r);
    return sum;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0 || size > GUEST_INPUT / 2)
        return 0;
    struct om_bytes in = om_bytes(data + 1, size - 1);
    FUZZ_MUST(feed(in, 1 + data[0]) == feed(in, GUEST_INPUT / 2));
    return 0;
}
