/*
 * natbox_pipe.c - the simulator's NAT, asked line by line
 *
 * usage: omerta-lab-natbox OUTSIDE KIND [PROPERTY...] [/ OUTSIDE KIND [PROPERTY...]]...
 *
 * What:  boxes in a row, the innermost first; kinds and properties are those of natkind.h. A line
 *        of input is a datagram, "out|in MICROSECONDS FROM TO TTL": from the inside, or from the
 *        outside to the outermost box. The answer is what comes of it, "out|in FROM TO TTL", or
 *        "drop REASON".
 * Why:   the lab's probe asks this box what it asks the kernel's, and compares.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natkind.h"

enum { BOXES_MAX = 4, LINE_MAX_BYTES = 256, SEED = 1 };

static struct sim_natbox boxes[BOXES_MAX];
static unsigned count;

static int refuse(const char *what)
{
    fprintf(stderr, "omerta-lab-natbox: \"%s\": wanted OUTSIDE KIND [PROPERTY...]\n", what);
    return 2;
}

/* The words of one box, which end at "/". */
static int add(char **words, int n)
{
    struct sim_nat_model m;
    struct om_addr outside;
    const char *wrong = sim_nat_box(words, n, &m, &outside);

    if (wrong || count == BOXES_MAX)
        return refuse(wrong ? wrong : words[0]);
    sim_natbox_init(&boxes[count], &m, &outside, SEED + count);
    count++;
    return 0;
}

/* Through the boxes below @at, inwards. */
static enum sim_nat_answer inwards(unsigned at, om_time now, struct sim_nat_packet *p)
{
    enum sim_nat_answer a = SIM_NAT_IN;

    while (at-- > 0 && a == SIM_NAT_IN)
        a = sim_natbox_inbound(&boxes[at], now, p);
    return a;
}

static enum sim_nat_answer outwards(om_time now, struct sim_nat_packet *p)
{
    enum sim_nat_answer a = SIM_NAT_OUT;

    for (unsigned i = 0; i < count && a == SIM_NAT_OUT; i++) {
        a = sim_natbox_outbound(&boxes[i], now, p);
        if (a == SIM_NAT_IN)
            return inwards(i, now, p);
    }
    return a;
}

static int answer(const char *line)
{
    char way[4], from[OM_ADDR_TEXT], to[OM_ADDR_TEXT];
    struct sim_nat_packet p;
    int64_t now;

    if (sscanf(line, "%3s %" SCNd64 " %55s %55s %3u", way, &now, from, to, &p.ttl) != 5 ||
        om_addr_parse(&p.from, from, 0, NULL) != OM_OK ||
        om_addr_parse(&p.to, to, 0, NULL) != OM_OK) {
        fprintf(stderr, "omerta-lab-natbox: \"%s\": wanted out|in TIME FROM TO TTL\n", line);
        return 2;
    }
    enum sim_nat_answer a = strcmp(way, "out") == 0 ? outwards(now, &p) : inwards(count, now, &p);
    if (a == SIM_NAT_OUT || a == SIM_NAT_IN)
        printf("%s %s %s %u\n", sim_nat_answer_name(a), om_addr_print(&p.from, from),
               om_addr_print(&p.to, to), p.ttl);
    else
        printf("drop %s\n", sim_nat_answer_name(a));
    return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    char line[LINE_MAX_BYTES];
    int status = 0;

    for (int first = 1, i = 1; i <= argc && status == 0; i++)
        if (i == argc || strcmp(argv[i], "/") == 0) {
            status = add(argv + first, i - first);
            first = i + 1;
        }
    while (status == 0 && fgets(line, sizeof line, stdin))
        status = answer(line);
    for (unsigned i = 0; i < count; i++)
        sim_natbox_fini(&boxes[i]);
    return status;
}
