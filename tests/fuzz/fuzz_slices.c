/*
 * fuzz_slices.c - SLICE frames of a peer: any bytes, as packets and pauses
 *
 * Whatever comes: the bounds hold, a whole has the bytes its slices had, and nothing is left when
 * time has passed. (What a byte's slice had is told by its id and place.)
 */
#include "envelope/frame.h"
#include "fuzz.h"
#include "path/slice.h"

static uint8_t byte_at(uint32_t id, size_t place)
{
    return (uint8_t)(id * 7 + place * 31);
}

static void check_whole(const struct om_frame_slice *f, const uint8_t *whole)
{
    for (size_t i = 0; i < f->total; i++)
        FUZZ_MUST(whole[i] == byte_at(f->id, i));
}

static void take(struct om_slices *s, om_time now, struct om_frame_slice f)
{
    static uint8_t text[1 << 16];
    uint8_t *whole = NULL;

    for (size_t i = 0; i < f.data.n; i++)
        text[i] = byte_at(f.id, f.offset + i);
    f.data.p = text;
    if (om_slices_input(s, now, &f, &whole) == OM_SLICE_WHOLE)
        check_whole(&f, whole);
    else
        FUZZ_MUST(!whole);
    free(whole);
    FUZZ_MUST(s->count <= OM_SLICES_MAX && s->bytes <= OM_SLICE_BYTES_MAX);
}

/* A slice whose data is not spelt out, so that large ones fit an input. */
static void take_short(struct om_slices *s, om_time now, struct om_rd *r)
{
    struct om_frame_slice f = {.id = om_rd_u8(r) & 3};

    f.offset = om_rd_u16(r);
    f.total = om_rd_u16(r);
    f.data.n = om_rd_u16(r);
    if (!r->bad && f.data.n > 0 && f.offset < f.total && f.data.n <= (size_t)(f.total - f.offset))
        take(s, now, f);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    struct om_rd r = om_rd(om_bytes(copy, size));
    struct om_slices s;
    struct om_frame f;
    om_time now = OM_SEC(1);

    om_slices_init(&s);
    while (om_rd_left(&r) > 0 && !r.bad) {
        uint8_t what = om_rd_u8(&r);
        if (what & 0x80)
            now += OM_MS(what & 0x7f);
        else if (what & 1)
            take_short(&s, now, &r);
        else if (om_frame_next(&r, &f) != OM_OK)
            break;
        else if (f.type == OM_FRAME_SLICE)
            take(&s, now, f.slice);
    }
    om_slices_tick(&s, now + OM_MS(OM_SLICE_LIFE_MS));
    FUZZ_MUST(s.count == 0 && s.bytes == 0);
    om_slices_fini(&s);
    free(copy);
    return 0;
}
