/*
 * unit.h - does systemd let this daemon run machines?
 *
 * What:  what the unit that started us lacks, as a sentence.
 * Why:   the unit takes from the daemon all that a mesh does not need, and QEMU needs some of it:
 *        its failures would tell nobody of systemd.
 *
 * Source: systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager".
 */
#ifndef OM_SERVICE_UNIT_H
#define OM_SERVICE_UNIT_H

/** unit_hint() - what to do before machines can run here, or "". */
const char *unit_hint(void);

#endif
