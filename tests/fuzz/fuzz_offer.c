/*
 * fuzz_offer.c - what a hostile member publishes as its offer: any bytes
 *
 * What is understood is within all bounds, and once written again is read as the same.
 */
#include "fuzz.h"
#include "vm/core/offer.h"

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t bytes[OM_VM_OFFER_MAX];
    struct om_vm_offer o, again;

    if (om_vm_offer_decode(&o, om_bytes(data, size)) != OM_OK)
        return 0;
    FUZZ_MUST(size <= OM_VM_OFFER_MAX && o.images <= OM_VM_OFFER_IMAGES);
    FUZZ_MUST(o.load < OM_VM_OFFER_LOADS && (unsigned)o.engine < OM_VM_OFFER_ENGINES);
    for (unsigned i = 0; i < o.images; i++)
        FUZZ_MUST(om_vm_name_is_plain(o.image[i], OM_VM_IMAGE_NAME - 1));
    size_t n = om_vm_offer_encode(bytes, &o);
    FUZZ_MUST(om_vm_offer_decode(&again, om_bytes(bytes, n)) == OM_OK);
    FUZZ_MUST(again.is_on == o.is_on && again.images == o.images);
    FUZZ_MUST(again.free.memory_mib == om_vm_offer_step(o.free.memory_mib));
    FUZZ_MUST(again.free.vms == o.free.vms && again.free.cpus == o.free.cpus);
    return 0;
}
