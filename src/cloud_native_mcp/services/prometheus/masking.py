"""Secrets in what Prometheus shows of its targets and configuration.

Prometheus itself writes ``<secret>`` for passwords and tokens of its own settings, but not for URL parameters, header
values, or what service discovery put into labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_list
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import MASK, scrub
from cloud_native_mcp.response.objects import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARAMETER: Final = "__param_"
_HEADER_MAPS: Final = frozenset({"headers", "http_headers", "proxy_connect_header"})
_SHOWN_HEADERS: Final = frozenset({"content-type", "accept", "user-agent"})
_SIGNATURES: Final = frozenset({"sig", "signature", "key", "code", "auth", "authorization"})
_CELL: Final = 300


def label_value(name: str, value: str) -> str:
    """The value of a discovered label; URL parameters and labels with the name of a secret become ``***``."""
    parameter = name.removeprefix(_PARAMETER) if name.startswith(_PARAMETER) else ""
    if value and (is_secret_name(name) or parameter.lower() in _SIGNATURES):
        return MASK
    return scrub(value)


def masked_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Discovered labels with secrets masked."""
    return {name: label_value(name, value) for name, value in labels.items()}


def message(text: str) -> str:
    """An error text as one masked line; a long one ends in ``…(+n)``."""
    line = " ".join(scrub(clean(text)).split())
    over = len(line) - _CELL
    return line if over <= 0 else f"{line[:_CELL]}…(+{over})"


def configuration(value: object, name: str = "") -> object:
    """A copy of a part of the configuration with secrets masked.

    Masked are values under the name of a secret, all header values but a few plain ones, and credentials in URLs.
    """
    entries = as_dict(value)
    if entries:
        if name in _HEADER_MAPS:
            return {key: entry if key.lower() in _SHOWN_HEADERS else MASK for key, entry in entries.items()}
        return {key: configuration(entry, key) for key, entry in entries.items()}
    if listed := as_list(value):
        return [configuration(entry, name) for entry in listed]
    if not value or isinstance(value, bool):
        return value
    if is_secret_name(name) or name.lower() in _SIGNATURES - {"code", "key"}:
        return value if value == "<secret>" else MASK
    return scrub(value) if isinstance(value, str) else value
