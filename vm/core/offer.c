/* offer.c - the bytes of offers. */
#include "vm/core/offer.h"

#include <string.h>

#include <omerta/wire.h>

enum { FLAG_ON = 1, FLAG_FOR_ALL = 2, FLAG_MORE = 4, KEPT_BITS = 3 };

const char *om_vm_offer_engine_name(enum om_vm_offer_engine e)
{
    static const char *const names[OM_VM_OFFER_ENGINES] = {"unknown", "kvm", "tcg"};

    return e < OM_VM_OFFER_ENGINES ? names[e] : "unknown";
}

const char *om_vm_no_kvm_text(enum om_vm_no_kvm why)
{
    static const char *const texts[] = {
#define X(code, text) text,
        OM_VM_NO_KVM(X)
#undef X
    };

    return why < OM_VM_NO_KVM_COUNT ? texts[why] : "";
}

uint32_t om_vm_offer_step(uint32_t n)
{
    unsigned shift = 0;

    while (n >> shift >= 1U << KEPT_BITS)
        shift++;
    return n >> shift << shift;
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}

/* How many of the images of @o fit into @room bytes. */
static unsigned count_images(const struct om_vm_offer *o, size_t room)
{
    unsigned n = 0;

    while (n < o->images && n < OM_VM_OFFER_IMAGES) {
        size_t size = 1 + strnlen(o->image[n], OM_VM_IMAGE_NAME - 1);
        if (size > room)
            break;
        room -= size;
        n++;
    }
    return n;
}

size_t om_vm_offer_encode(uint8_t out[static OM_VM_OFFER_MAX], const struct om_vm_offer *o)
{
    enum { BESIDE_IMAGES = 18 };
    struct om_wr w = om_wr(om_mut(out, OM_VM_OFFER_MAX));
    unsigned images = count_images(o, OM_VM_OFFER_MAX - BESIDE_IMAGES);
    bool is_more = o->has_more_images || images < o->images;

    om_wr_u8(&w, OM_VM_OFFER_VERSION);
    if (!o->is_on) {
        om_wr_u8(&w, 0);
        return om_wr_len(&w);
    }
    om_wr_u8(&w,
             (uint8_t)(FLAG_ON | (o->is_for_all ? FLAG_FOR_ALL : 0) | (is_more ? FLAG_MORE : 0)));
    om_wr_u8(&w, (uint8_t)o->engine);
    om_wr_u8(&w, o->load);
    om_wr_u16(&w, (uint16_t)at_most(o->free.vms, OM_VM_COUNT_MAX));
    om_wr_u16(&w, (uint16_t)at_most(o->free.cpus, OM_VM_CPUS_MAX));
    om_wr_u32(&w, om_vm_offer_step(at_most(o->free.memory_mib, OM_VM_MEMORY_MAX_MIB)));
    om_wr_u32(&w, om_vm_offer_step(at_most(o->free.disk_mib, OM_VM_DISK_MAX_MIB)));
    om_wr_u8(&w, (uint8_t)images);
    for (unsigned i = 0; i < images; i++) {
        size_t n = strnlen(o->image[i], OM_VM_IMAGE_NAME - 1);
        om_wr_u8(&w, (uint8_t)n);
        om_wr_copy(&w, o->image[i], n);
    }
    om_wr_u8(&w, (uint8_t)o->no_kvm);
    return om_wr_len(&w);
}

static bool read_image(struct om_rd *r, char out[static OM_VM_IMAGE_NAME])
{
    size_t n = om_rd_u8(r);

    if (r->bad || n == 0 || n >= OM_VM_IMAGE_NAME)
        return false;
    om_rd_copy(r, out, n);
    out[n] = 0;
    return !r->bad && strlen(out) == n && om_vm_name_is_plain(out, OM_VM_IMAGE_NAME - 1);
}

static enum om_err read_amounts(struct om_rd *r, struct om_vm_offer *o)
{
    uint8_t engine = om_rd_u8(r);

    o->engine =
        engine < OM_VM_OFFER_ENGINES ? (enum om_vm_offer_engine)engine : OM_VM_OFFER_UNKNOWN;
    o->load = om_rd_u8(r);
    o->free.vms = om_rd_u16(r);
    o->free.cpus = om_rd_u16(r);
    o->free.memory_mib = om_rd_u32(r);
    o->free.disk_mib = om_rd_u32(r);
    o->images = om_rd_u8(r);
    if (r->bad)
        return OM_E_PARSE;
    return o->load >= OM_VM_OFFER_LOADS || o->free.vms > OM_VM_COUNT_MAX ||
                   o->free.cpus > OM_VM_CPUS_MAX || o->free.memory_mib > OM_VM_MEMORY_MAX_MIB ||
                   o->free.disk_mib > OM_VM_DISK_MAX_MIB || o->images > OM_VM_OFFER_IMAGES
               ? OM_E_RANGE
               : OM_OK;
}

enum om_err om_vm_offer_decode(struct om_vm_offer *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_vm_offer o = {.is_on = false};
    uint8_t version = om_rd_u8(&r), flags = om_rd_u8(&r);

    if (in.n > OM_VM_OFFER_MAX)
        return OM_E_RANGE;
    if (r.bad)
        return OM_E_PARSE;
    if (version != OM_VM_OFFER_VERSION)
        return OM_E_UNSUPPORTED;
    o.is_on = (flags & FLAG_ON) != 0;
    if (o.is_on) {
        o.is_for_all = (flags & FLAG_FOR_ALL) != 0;
        o.has_more_images = (flags & FLAG_MORE) != 0;
        enum om_err e = read_amounts(&r, &o);
        for (unsigned i = 0; e == OM_OK && i < o.images; i++)
            e = read_image(&r, o.image[i]) ? OM_OK : OM_E_PARSE;
        uint8_t why = om_rd_u8(&r);
        if (e != OM_OK || r.bad)
            return e != OM_OK ? e : OM_E_PARSE;
        o.no_kvm = why < OM_VM_NO_KVM_COUNT ? (enum om_vm_no_kvm)why : OM_VM_NO_KVM_UNSAID;
    }
    *out = o;
    return OM_OK;
}
