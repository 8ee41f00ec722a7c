"""The vm tests use the fixtures of the system tests."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

import pytest  # noqa: E402

import omerta_lab  # noqa: E402
from fixtures import folder, make  # noqa: E402,F401
from vmlab import image, three  # noqa: E402,F401


@pytest.fixture
def lab():
    """An empty lab, taken down after the test."""
    reason = omerta_lab.missing()
    if reason:
        pytest.skip(reason)
    with omerta_lab.Lab() as made:
        yield made
