"""sabotage.py - daemons that were made to send what they must not, and who notices."""

import collections
import glob
import os

import readable
from scratch import CompileError, purpose, touches
from stage import NO_HELLOS, has, post, wait

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = "the harbour master opens this letter on the fourteenth"
LETTERS, MANY = 4, 60
INDEX = 4  # bytes, before the counter
HANDSHAKE = range(448, 513)
BEFORE_COUNTER = bytes(6)  # the counter of a young session begins so, where it is not masked

# What a run of a sabotaged daemon is judged by. @leak(node, sent) is the datagrams of @sent in
# which its mark can be seen; None: nothing of it can be read, only its peer notices.
Sabotage = collections.namedtuple("Sabotage", "patch leak drop flags")


def shows(mark):
    """Datagrams with @mark in them."""
    return lambda node, sent: [d for d in sent if mark in d]


def shows_id(node, sent):
    """Datagrams with the node's public key in them."""
    return [d for d in sent if node.public_key() in d]


def shows_counter(_node, sent):
    """Datagrams of sessions whose counter can be read."""
    return [d for d in sent if len(d) not in HANDSHAKE
            and d[INDEX:INDEX + len(BEFORE_COUNTER)] == BEFORE_COUNTER]


PROBE = shows(b"OMERTA-DEBUG-PROBE")
CASES = [
    Sabotage("1-plain-hello", shows_id, "foreign", []),
    Sabotage("2-raw-probe", PROBE, "foreign", [NO_HELLOS]),
    Sabotage("3-envelope-without-encryption", shows(TEXT.encode()), "open", [NO_HELLOS]),
    Sabotage("4-random-session-key", None, "open", [NO_HELLOS]),
    Sabotage("5-plain-header", shows_counter, "foreign", [NO_HELLOS]),
    Sabotage("6-broken-tag", None, "open", [NO_HELLOS]),
]
REASONS = {case.drop for case in CASES}  # not those of hellos, of which some always come too soon
TYPED = "2-raw-probe-typed"
UNMASKED = "8-no-mask"
PAST = Sabotage("7-past-the-envelope", PROBE, "foreign", [NO_HELLOS])


def patch(name):
    """Where the patch @name is."""
    return os.path.join(HERE, name + ".patch")


def all_touched():
    """What the patches change: compiled anew for the control, too."""
    return sorted({file for path in glob.glob(os.path.join(HERE, "*.patch"))
                   for file in touches(path)})


def control(report, stage, program):
    """The same run with nothing changed: nothing is refused, dropped or seen."""
    ann, ben = stage.pair(program, program, "--audit-encryption")
    to_ben = post(ann, ben, TEXT) and wait(lambda: has(ben, TEXT))
    sent = ann.sent()
    audit, drops, doctor = ann.status()["audit"], ben.drops(), ann.doctor("audit")
    ann.finish()
    ben.finish()
    whole = ann.sent()
    seen = sum(len(s.leak(ann, whole)) for s in [*CASES, PAST] if s.leak)
    dropped = sum(drops.get(reason, 0) for reason in REASONS)
    good = to_ben and audit["refused"] == 0 and dropped == 0 and seen == 0 and doctor == "ok"
    good = good and 0 < len(sent) <= audit["audited"]
    report.row("control", "nothing changed, compiled anew", "nobody, as it must be",
               f"{audit['audited']} audited, {audit['refused']} refused, peer dropped "
               f"{dropped}, marks in {seen} of {len(whole)} datagrams", good)


def typed(report, scratch):
    """A plain buffer where a sealed one belongs does not compile, in no build."""
    try:
        scratch.make(TYPED, patch(TYPED))
        said, good = "it compiles", False
    except CompileError as refused:
        lines = [line for line in str(refused).splitlines() if "error:" in line]
        said = lines[0].partition("error: ")[2].partition(" [")[0]
        good = len(lines) == 1 and "om_buf" in str(refused) and "om_sealed" in str(refused)
    report.row("2, typed", purpose(patch(TYPED)), "the compiler", said, good)


def run(report, stage, program, clean, case, is_audited):
    """One meeting with a sabotaged ann; what there was to notice."""
    flags = [*case.flags, *(["--audit-encryption"] if is_audited else [])]
    ann, ben = stage.pair(program, clean, *flags)

    def noticed():
        if is_audited:
            return ann.status()["audit"]["refused"] > 0
        return ben.drops().get(case.drop) and (not case.leak or case.leak(ann, ann.sent()))

    is_done = post(ann, ben, TEXT) and wait(noticed)
    audit, drops = ann.status()["audit"], ben.drops()
    log, doctor = ann.log(), ann.doctor("audit")
    code = ann.finish()
    ben.finish()
    sent = ann.sent()
    leaks = len(case.leak(ann, sent)) if case.leak else 0
    if not is_done:
        report.note(log)
    is_told = "mod=audit" in log and "level=warn" in log and doctor == "warn"
    return is_done and code == 0 and is_told == is_audited, audit, drops, sent, leaks


def sabotaged(report, stage, scratch, clean, case):
    """A daemon with a patch: audited it keeps its datagrams, and unaudited they are on the wire."""
    program = scratch.make(case.patch, patch(case.patch))
    done, audit, drops, sent, leaks = run(report, stage, program, clean, case, True)
    good = done and leaks == 0 and not drops.get(case.drop)
    report.row(case.patch[0], purpose(patch(case.patch)), "the audit",
               f"{audit['refused']} of {audit['audited']} held back and told, marks in {leaks} "
               f"of {len(sent)} datagrams, peer dropped {drops.get(case.drop, 0)}", good)
    done, audit, drops, sent, leaks = run(report, stage, program, clean, case, False)
    good = done and audit["audited"] == 0 and (leaks > 0 or not case.leak)
    mark = f"marks in {leaks} of " if case.leak else ""
    report.row(case.patch[0], "the same without the audit", f"the peer: {case.drop}",
               f"{mark}{len(sent)} datagrams, peer dropped {drops.get(case.drop, 0)} as "
               f"{case.drop}", good)


def past(report, stage, scratch, clean):
    """What goes round every type and the audit is seen from outside: more left than was audited."""
    program = scratch.make(PAST.patch, patch(PAST.patch))
    flags = [*PAST.flags, "--audit-encryption"]
    ann, ben = stage.pair(program, clean, *flags)

    def noticed():
        counted = len(ann.sent()), ann.status()["audit"]["audited"]
        return counted if counted[0] > counted[1] and ben.drops().get(PAST.drop) else None

    sent, audited = all(post(ann, ben, f"{TEXT}, {i}") for i in range(LETTERS)) and wait(
        noticed) or (0, 0)
    dropped = ben.drops().get(PAST.drop, 0)
    ann.finish()
    ben.finish()
    leaks = len(PAST.leak(ann, ann.sent()))
    report.row("7", purpose(patch(PAST.patch)), f"a capture; the peer: {PAST.drop}",
               f"{sent} datagrams left where {audited} were audited, marks in {leaks}, peer "
               f"dropped {dropped} as {PAST.drop}", sent > audited and leaks > 0)


def unmasked(report, stage, scratch):
    """What both sides and the audit agree on shows in the bytes: they stand out by their place."""
    program = scratch.make(UNMASKED, patch(UNMASKED))
    ann, ben = stage.pair(program, program, NO_HELLOS, "--audit-encryption")
    last = f"{TEXT}, {MANY - 1}"
    got = all(post(ann, ben, f"{TEXT}, {i}") for i in range(MANY)) and wait(lambda: has(ben, last))
    refused = ann.status()["audit"]["refused"]
    ann.finish()
    ben.finish()
    sent = ann.sent()
    worst, where = readable.uneven(sent)
    report.row("8", purpose(patch(UNMASKED)), "the same measure of the capture",
               f"{refused} refused, chi-square {worst:.0f} ({where}), {len(sent)} sent",
               bool(got) and worst > readable.CHI_MAX)
