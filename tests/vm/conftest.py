"""The vm tests use the fixtures of the system tests."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

from fixtures import folder, make  # noqa: E402,F401
from vmlab import image, three  # noqa: E402,F401
