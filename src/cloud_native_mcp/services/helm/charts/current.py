"""The chart of a release as an archive again, from what Helm keeps of it.

Format of what is kept: https://helm.sh/docs/topics/advanced/#storage-backends (templates and files in base64).
"""

from __future__ import annotations

import base64
import binascii
import io
import tarfile
from typing import TYPE_CHECKING

import msgspec

from cloud_native_mcp.contract.json_values import as_dict, as_list, as_str, dig
from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.helm.charts.archive import Archive, read_archive

if TYPE_CHECKING:
    from collections.abc import Mapping


def chart_of(plain: bytes) -> Archive:
    """The chart in a release's body, given as the JSON it is.

    Raises:
        ToolError: ``missing_dependency`` when it depends on charts, which Helm does not keep; ``decode_failed``.
    """
    try:
        chart = as_dict(dig(msgspec.json.decode(plain), "chart"))
        files = _files(chart)
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        raise ToolError("decode_failed", "the stored chart of this revision cannot be read", kind="final") from None
    if names := [as_str(dig(one, "name")) for one in as_list(dig(chart, "metadata", "dependencies"))]:
        text = f"chart: 'current' lacks the charts it depends on ({', '.join(names)}): Helm keeps none; name the chart"
        raise ToolError("missing_dependency", text)
    return read_archive(_packed(as_str(dig(chart, "metadata", "name"), "chart"), files))


def _files(chart: Mapping[str, object]) -> dict[str, bytes]:
    found = {
        "Chart.yaml": msgspec.json.encode(chart.get("metadata")),
        "values.yaml": msgspec.json.encode(chart.get("values") or {}),
    }
    if schema := as_str(chart.get("schema")):
        found["values.schema.json"] = base64.b64decode(schema)
    for one in (*as_list(chart.get("templates")), *as_list(chart.get("files"))):
        found[as_str(dig(one, "name"))] = base64.b64decode(as_str(dig(one, "data")))
    return found


def _packed(top: str, files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
