"""What ``helm_template`` shows of a rendered chart: documents, a summary, or what the linter says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.contract.result import Result, Table
from cloud_native_mcp.errors import InvalidArgument
from cloud_native_mcp.services.helm.releases.manifest import selected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_native_mcp.contract.result import Block
    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument

ROOM: Final = 26_000
"""Bytes of documents in one answer of 32 kB."""
_FRAME: Final = 150
_HOOK: Final = "helm.sh/hook"
_FINDING: Final = re.compile(r"^\[(INFO|WARNING|ERROR)\] (?:(\S+?): )?(.*)$")
_POD_LISTS: Final = ("initContainers", "containers")


def chosen_documents(documents: Sequence[ReleaseDocument], select: str) -> list[ReleaseDocument]:
    """The documents of a kind, a kind and name, or a template.

    Raises:
        InvalidArgument: nothing is selected; what there is is named.
    """
    if "templates/" not in select and not select.startswith("crds/"):
        return selected(documents, select)
    found = [one for one in documents if one.source == select or one.source.endswith(f"/{select}")]
    if not found:
        there = ", ".join(dict.fromkeys(one.source.partition("/")[2] for one in documents)) or "nothing"
        raise InvalidArgument("select", f"no document comes from {select[:100]!a}; there are {there[:600]}")
    return found


def document_blocks(documents: Sequence[ReleaseDocument]) -> tuple[list[Block], list[str]]:
    """As many whole documents as there is room for, and a line that names the others."""
    blocks: list[Block] = []
    room = ROOM
    for one in documents:
        room -= len(one.text) + _FRAME
        if room < 0 and blocks:
            break
        blocks.append(one.block)
    left = [one.label for one in documents[len(blocks) :]]
    note = f"{len(left)} more documents, to be had with select: {', '.join(left[:20])}{' …' if len(left) > 20 else ''}"
    return blocks, [note] if left else []


def summary_table(documents: Sequence[ReleaseDocument]) -> Table:
    """A row for each object that would be made."""
    rows = [
        (
            one.kind,
            one.name,
            as_str(dig(one.object, "metadata", "annotations", _HOOK)),
            ", ".join(dict.fromkeys(as_str(container.get("image")) for container in _containers(one.object))),
            "; ".join(filter(None, map(_requests, _containers(one.object)))),
            one.source.partition("/")[2],
        )
        for one in documents
    ]
    columns = ("KIND", "NAME", "HOOK", "IMAGES", "REQUESTS/LIMITS", "TEMPLATE")
    return Table(columns, rows, untrusted=True, source="objects")


def lint_result(header: str, output: str, complaint: str) -> Result:
    """The linter's findings, the worst first."""
    findings: list[list[str]] = []
    for line in (*output.splitlines(), *complaint.splitlines()):
        if match := _FINDING.match(line.strip()):
            findings.append([match[1], match[2] or "", match[3]])
        elif findings and line.strip() and not line.startswith(("==>", "Error:")) and "chart(s) linted" not in line:
            findings[-1][2] = f"{findings[-1][2]} {line.strip()}".strip()
    order = {"ERROR": 0, "WARNING": 1, "INFO": 2}
    findings.sort(key=lambda row: order[row[0]])
    counts = ", ".join(f"{sum(row[0] == level for row in findings)} {level.lower()}" for level in order)
    table = Table(("LEVEL", "FILE", "MESSAGE"), findings, untrusted=True, source="lint")
    return Result(header=f"{header}: {counts}", blocks=[table] if findings else [])


def _containers(obj: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The containers of a pod, of a workload's template, or of a CronJob's."""
    for path in ((), ("template",), ("jobTemplate", "spec", "template")):
        spec = dig(obj, "spec", *path, "spec") if path else dig(obj, "spec")
        for name in _POD_LISTS:
            yield from map(as_dict, as_list(as_dict(spec).get(name)))


def _requests(container: Mapping[str, object]) -> str:
    """``web: cpu 100m/1, memory 64Mi/-``."""
    requests, limits = as_dict(dig(container, "resources", "requests")), as_dict(dig(container, "resources", "limits"))
    names = sorted(requests.keys() | limits.keys())
    told = [f"{name} {requests.get(name, '-')}/{limits.get(name, '-')}" for name in names]
    return f"{as_str(container.get('name'))}: {', '.join(told)}" if told else ""
