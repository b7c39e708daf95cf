"""Kubernetes quantities (``250m``, ``1Gi``, ``12345n``): parsed to numbers, shown in m and Mi.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from typing import Final

_SUFFIX: Final = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")


def parse_quantity(value: object) -> float | None:
    """The number of a quantity, or None when it is none (absent or malformed)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    match = _QUANTITY.fullmatch(value.strip())
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    return float(number + (exponent or "")) * _SUFFIX[suffix or ""]


def show_cpu(cores: float | None) -> str:
    """CPU in millicores (``250m``), ``-`` when unknown."""
    return "-" if cores is None else f"{round(cores * 1000)}m"


def show_memory(count: float | None) -> str:
    """Memory in Mi (``64Mi``), ``-`` when unknown."""
    return "-" if count is None else f"{round(count / 2**20)}Mi"


def show_share(part: float | None, whole: float | None) -> str:
    """A ratio in percent (``42%``), ``-`` when either is unknown or the whole is nothing."""
    return "-" if part is None or not whole else f"{round(100 * part / whole)}%"
