"""Fixtures of the lab tests; those of the daemon are the system tests' own."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "system")]

import omerta_lab  # noqa: E402
from fixtures import five, folder, home, make  # noqa: E402,F401


@pytest.fixture
def lab():
    """An empty lab, taken down after the test."""
    reason = omerta_lab.missing()
    if reason:
        pytest.skip(reason)
    with omerta_lab.Lab() as made:
        yield made
