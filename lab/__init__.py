"""The project's own lab: real backends without containers, for tests and benchmarks.

`python -m lab up` builds what is missing and starts it; `lab.environment()` tells tests where it is.
"""

from __future__ import annotations

from lab.canary import CANARY
from lab.errors import LabError
from lab.facts import LabEnv, environment

__all__ = ["CANARY", "LabEnv", "LabError", "environment"]
