"""The system tests' fixtures."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from fixtures import daemon, folder, home, make, pair  # noqa: E402,F401
