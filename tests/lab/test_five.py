"""Five daemons on five hosts meet through one, and go on when one dies or moves.

tests/sim/scenarios/five.scn plays the same in the simulator.
"""

import itertools

from daemon import knows, talk


def all_know_all(daemons, seconds=30):
    """Every one knows the other four."""
    ids = {daemon: daemon.self_id() for daemon in daemons}
    assert len(set(ids.values())) == len(daemons)
    for daemon in daemons:
        others = {ids[other] for other in daemons if other is not daemon}
        assert knows(daemon, others, seconds), daemon.log()


def test_gossip_and_messages(five):
    all_know_all(five)
    for number, (left, right) in enumerate(itertools.permutations(five, 2)):
        assert talk(left, right, f"message {number}"), left.log()


def test_kill_and_restart_of_each(five):
    all_know_all(five)
    for number, daemon in enumerate(five):
        before = daemon.self_id()
        daemon.kill()
        others = [other for other in five if other is not daemon]
        # The four talk on without it, the bootstrap peer among those that die.
        assert talk(others[0], others[-1], f"without {number}")
        assert daemon.start().self_id() == before
        assert talk(daemon, others[0], f"back {number}"), daemon.log()
        assert talk(others[-1], daemon, f"welcome {number}"), others[-1].log()
    all_know_all(five)


def test_changed_address(five, lab):
    all_know_all(five)
    mover, others = five[-1], five[:-1]
    before = mover.self_id()
    capture = lab.capture("h1", "eth0", "udp port 18002")
    lab.set_address(mover.host, "eth0", "10.0.0.99/24")
    lab.set_address(mover.host, "eth0", "fd00::99/64")
    for number, other in enumerate(others):
        assert talk(mover, other, f"from the new place {number}"), mover.log()
        assert talk(other, mover, f"to the new place {number}"), other.log()
    assert mover.self_id() == before
    assert [p for p in capture.stop() if p.src in ("10.0.0.99", "fd00::99")]


def test_pulled_cable(five, lab):
    all_know_all(five)
    alone, other = five[-1], five[1]
    assert talk(other, alone, "before")
    lab.down(alone.host, "eth0")
    # That it fails here shows that nothing but the cable carries what the other tests see.
    assert not talk(other, alone, "into the void", 2)
    lab.up(alone.host, "eth0")
    assert talk(other, alone, "after"), other.log()
    assert talk(alone, other, "after, back"), alone.log()
