/*
 * main.c - omerta-bench: what the core costs, beside the bare libraries in the same run
 *
 * omerta-bench [--json FILE|-] [--check]
 *
 * --check exits 1 when the envelope costs more than 10 % over the bare AEAD at 1400 bytes.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "bench_core.h"

int main(int argc, char **argv)
{
    const char *json = NULL;
    struct bench_report r;
    bool check = false;
    double worst;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else if (strcmp(argv[i], "--check") == 0) {
            check = true;
        } else {
            fprintf(stderr, "%s: unknown argument %s: want [--json FILE|-] [--check]\n", argv[0],
                    argv[i]);
            return 2;
        }
    }
    if (sodium_init() < 0)
        return 1;
    bench_open(&r, json);
    worst = bench_envelope(&r);
    bench_handshake(&r);
    bench_node(&r);
    bench_stream(&r);
    bench_memory(&r);
    bench_sim(&r);
    bench_close(&r);
    if (check && worst > ENVELOPE_RATIO_MAX) {
        fprintf(stderr, "envelope at 1400 bytes: %.3f of the bare AEAD: want at most %.2f\n", worst,
                ENVELOPE_RATIO_MAX);
        return 1;
    }
    return 0;
}
