"""What Helm's own words mean, as the error codes of the tools.

The patterns are the texts of Helm 3 and 4 as their programs write them (seen on 3.22.0 and 4.3.1); a text that none
matches is passed on under ``helm_failed``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cloud_native_mcp.errors import ErrorKind, ToolError
from cloud_native_mcp.response.clean import clean

ENGINE_ERRORS: Final = {
    "engine_missing": "no usable Helm program on this server; the tools that only read go on",
    "release_locked": "an operation on the release is under way",
    "hook_failed": "a hook of the chart failed",
    "field_conflict": "others manage a field that the chart sets",
    "helm_failed": "Helm refused or failed for another reason, in its own words",
}
"""Own errors of every tool that changes a release."""
RENDER_ERRORS: Final = {
    "engine_missing": ENGINE_ERRORS["engine_missing"],
    "render_failed": "a template fails, or makes what is no object; template and line are named",
    "values_invalid": "the values are no YAML mapping, or the chart's schema refuses them",
    "missing_dependency": "charts that the chart depends on are not in its archive",
    "helm_failed": ENGINE_ERRORS["helm_failed"],
}
"""Own errors of every tool that renders a chart."""
DEPLOY_ERRORS: Final = {
    "release_missing": "there is no such release, and if_missing does not say to install it",
    "ownership_conflict": "an object of the chart is there already and belongs to something else",
    "rolled_back": "the change failed and was undone",
}
"""Own errors of the tool that installs and upgrades."""
_MOST: Final = 600
_NOISE: Final = re.compile(r"^(?:level=\w+ |Release \"|walk\.go|coalesce\.go|W\d{4} |I\d{4} )")
_PREFIX: Final = re.compile(
    r"^(?:Error: )?(?:(?:UPGRADE|INSTALLATION) FAILED: |uninstall: |Release not loaded: "
    r"|unable to continue with \w+: )*"
)


@dataclass(frozen=True, slots=True)
class _Meaning:
    pattern: re.Pattern[str]
    code: str
    kind: ErrorKind


def _means(pattern: str, code: str, kind: ErrorKind) -> _Meaning:
    return _Meaning(re.compile(pattern, re.IGNORECASE), code, kind)


_MEANINGS: Final = (
    _means(r"has been rolled back due to", "rolled_back", "final"),
    _means(r"another operation \(.*\) is in progress", "release_locked", "final"),
    _means(r"values don't meet the specifications of the schema", "values_invalid", "fix"),
    _means(r"missing in charts/ directory", "missing_dependency", "final"),
    _means(
        r"execution error at|executing \"|parse error (?:at|on|in)|YAML parse error|template: |nil pointer evaluating|"
        r"unable to build kubernetes objects|resource mapping not found",
        "render_failed",
        "fix",
    ),
    _means(r"cannot be imported into the current release", "ownership_conflict", "final"),
    _means(r"Apply failed with \d+ conflict|conflict occurred while applying", "field_conflict", "final"),
    _means(
        r"hooks? failed|failed (?:pre|post)-|resource (?:Job|Pod)/\S+ not ready\. status: Failed|"
        r"(?:job|pod) \S+ failed",
        "hook_failed",
        "final",
    ),
    _means(r"has no deployed releases", "release_missing", "fix"),
    _means(r"release: not found", "not_found", "fix"),
    _means(r"release has no \S+ version", "revision_not_found", "fix"),
    _means(r"context deadline exceeded|timed out waiting", "timeout", "final"),
    _means(r"is forbidden|forbidden:", "forbidden", "final"),
    _means(r"namespaces? \"[^\"]*\" not found", "not_found", "fix"),
)


def failure(complaint: bytes) -> ToolError:
    """The error that Helm's complaint stands for, with its words on one line."""
    words = said(complaint)
    for meaning in _MEANINGS:
        if meaning.pattern.search(words):
            return ToolError(meaning.code, words, kind=meaning.kind)
    return ToolError("helm_failed", words or "Helm ended without a word", kind="final")


def said(complaint: bytes) -> str:
    """Helm's last words without log lines and prefixes, on one line; the end is kept when they are many."""
    lines = [line.rstrip() for line in clean(complaint.decode("utf-8", "replace")).splitlines()]
    kept = [line for line in lines if line and not _NOISE.match(line)]
    start = next((at for at, line in enumerate(kept) if line.startswith("Error: ")), 0)
    words = " ".join(" ".join(kept[start:]).split())
    words = _PREFIX.sub("", words)
    return words if len(words) <= _MOST else f"{words[:_MOST]}…"
