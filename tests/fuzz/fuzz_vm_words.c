/*
 * fuzz_vm_words.c - what peers and files say in JSON about VMs: any bytes
 *
 * The first byte says as what they are read: a request, a job, filters, an image, limits or
 * reputation. A refusal has a sentence; what is accepted is written and reads the same again.
 */
#include <omerta/text.h>

#include "fuzz.h"
#include "vm/core/filter.h"
#include "vm/core/image.h"
#include "vm/core/job.h"
#include "vm/core/reputation.h"
#include "vm/core/spec.h"

enum { TEXT_MAX = 64 * 1024 };

/* One of each: they are large, and nothing of them outlives a run. */
static struct om_vm_spec spec;
static struct om_vm_job_spec job;
static struct om_vm_filter filter;
static struct om_vm_image image;
static struct om_vm_limits limits;
static struct om_vm_reputation reputation;

/* Reads @o; true when accepted. */
static enum om_err read_one(unsigned what, const json_t *o, struct om_error *err)
{
    switch (what) {
    case 0:
        return om_vm_spec_read(&spec, o, err);
    case 1:
        return om_vm_job_read(&job, o, err);
    case 2:
        return om_vm_filter_read(&filter, o, err);
    case 3:
        return om_vm_limits_read(&limits, o, err);
    case 4:
        return om_vm_reputation_read(&reputation, o, err);
    default:
        return om_vm_image_read(&image, o, err);
    }
}

static json_t *write_one(unsigned what)
{
    switch (what) {
    case 0:
        return om_vm_spec_write(&spec);
    case 1:
        return om_vm_job_write(&job);
    case 2:
        return om_vm_filter_write(&filter);
    case 3:
        return om_vm_limits_write(&limits);
    case 4:
        return om_vm_reputation_write(&reputation);
    default:
        return NULL;
    }
}

static void check_refused(enum om_err e, const struct om_error *err)
{
    FUZZ_MUST(err->code == e && err->msg[0] != '\0');
    for (const char *p = err->msg; *p; p++)
        FUZZ_MUST((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void check_accepted(unsigned what)
{
    json_t *first = write_one(what), *second;
    struct om_error err = {0};

    if (!first) {
        FUZZ_MUST(what == 5 && image.name[0] != '\0' && image.files > 0);
        return;
    }
    FUZZ_MUST(read_one(what, first, &err) == OM_OK);
    second = write_one(what);
    FUZZ_MUST(second && json_equal(first, second));
    json_decref(first);
    json_decref(second);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct om_error err = {0};

    if (size == 0 || size > TEXT_MAX)
        return 0;
    unsigned what = data[0] % 6;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    size_t n = size - 1 + (FUZZ_SLACK > 0 && size > 20);
    /* jansson would refuse it too, but is not built with the sanitizers: this read is seen */
    bool is_text = om_text_is_utf8(om_bytes(copy, n));
    json_t *o = is_text ? json_loadb((const char *)copy, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    enum om_err e = o ? read_one(what, o, &err) : OM_OK;
    if (o && e == OM_OK)
        check_accepted(what);
    else if (o)
        check_refused(e, &err);
    json_decref(o);
    free(copy);
    return 0;
}
