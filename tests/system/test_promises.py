"""What the man page promises of networks and their members: each sentence stands there."""

import re

import pytest

from commands import good
from fixtures import need

PROMISES = {
    "bound": "At most 16. In each this node shows another key, and nothing of one is told in "
             "another; but all share one UDP port, whose address links them.",
    "plain member": "A plain member may see the others, reach what they offer it and send "
                    "messages; nobody's machine may be used unless a rule of its owner says so.",
    "open": "with --open one in which whoever has its link is, and nobody can be put out again.",
    "revoke": "revoke puts MEMBER (a name, an id or its start) out for good, as an admin may.",
    "away": "A member that was away meanwhile catches up for 30 days or 8 changes, whichever "
            "ends first; after that it needs a new invitation.",
    "block": "block is everybody's, in every network: PEER (at most 256) gets silence from this "
             "machine, and no lane through it; nobody else is told.",
    "secret": "show never prints a secret",
    "history": "it gets into no shell history and no list of processes.",
}


def read_as_shown(roff):
    """The text of a man page as its reader has it, in one line."""
    lines = [line for line in roff.splitlines() if not line.startswith((".", "'"))]
    text = re.sub(r"\\f.|\\&", "", " ".join(lines)).replace("\\-", "-").replace("\\(aq", "'")
    return " ".join(text.split())


@pytest.fixture(name="page", scope="module")
def page_of_omerta():
    """omerta(1), as it is installed."""
    need("omerta")
    return read_as_shown(good("/nonexistent", "help", "--man"))


@pytest.mark.parametrize("promise", PROMISES)
def test_promise_is_in_the_man_page(page, promise):
    """The sentence is there, to the letter; with a figure or a word changed it would be missed."""
    sentence = PROMISES[promise]
    assert sentence in page
    changed = re.sub(r"\d+", lambda n: str(int(n[0]) + 1), sentence)
    changed = changed if changed != sentence else sentence.replace(" ", " not ", 1)
    assert changed not in page
    assert sentence not in page.replace(sentence, changed)
