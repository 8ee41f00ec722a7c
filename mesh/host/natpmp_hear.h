/*
 * natpmp_hear.h - hear the gateway say that it restarted, or has another outside address
 *
 * What:  the socket for NAT-PMP's announcements; each that is the gateway's is reported.
 * Why:   a router that restarts forgets its mappings, and one that is given another address moves
 *        them: without a word of it we would be unreachable until the next renewal.
 * Keeps: natpmp_hear_reports_the_gateway; natpmp_hear_ignores_others;
 *        natpmp_hear_reports_at_a_pace.
 * Full:  between two reports OM_NATPMP_HEAR_PACE_S pass; what is said meanwhile is not heard.
 *
 * What it says is not believed, since anybody on the link could say it: it is only a reason to ask.
 *
 * Source: RFC 6886 section 3.2.1 (announcements to 224.0.0.1 port 5350); RFC 6887 section 14.1
 *         (those of PCP, to the same port).
 */
#ifndef OM_HOST_NATPMP_HEAR_H
#define OM_HOST_NATPMP_HEAR_H

#include <uv.h>

#include <omerta/err.h>
#include <omerta/time.h>

enum { OM_NATPMP_HEAR_PORT = 5350, OM_NATPMP_HEAR_PACE_S = 5 };

struct om_natpmp_hear;

struct om_natpmp_hear_config {
    uv_loop_t *loop;
    void (*on_word)(void *self); /* it may close */
    void *self;
    uint32_t (*gateway)(void); /* in network order; NULL: gateway_find() */
};

/**
 * om_natpmp_hear_open() - begin to hear
 * @out:     set on success; the caller owns it until om_natpmp_hear_close()
 * @config:  copied; loop and on_word are needed
 *
 * Return: OM_OK, OM_E_NO_MEM, OM_E_STATE when another program has the port for itself.
 */
OM_MUST enum om_err om_natpmp_hear_open(struct om_natpmp_hear **out,
                                        const struct om_natpmp_hear_config *config);

/** om_natpmp_hear_close() - @h hears no more; NULL is fine. Its memory goes as the loop runs. */
void om_natpmp_hear_close(struct om_natpmp_hear *h);

#endif
