"""The files of a chart's archive, read in memory within bounds.

Format: https://helm.sh/docs/topics/charts/#the-chart-file-structure.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.contract.yaml import load_one
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.helm.inflate import GZIP, InflateError, inflate
from cloud_native_mcp.services.helm.releases.record import ChartMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES: Final = 20_000_000
"""Of an archive."""
_MOST_UNPACKED: Final = 100_000_000
_MOST_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Archive:
    """A chart: what it says of itself, its files by their path below its folder, and the archive itself."""

    metadata: ChartMetadata
    files: Mapping[str, bytes]
    packed: bytes

    def text(self, path: str) -> str | None:
        """A file as text; None when there is none of that path."""
        content = self.files.get(path)
        return None if content is None else content.decode("utf-8", "replace")

    @property
    def readme(self) -> str | None:
        """What the chart says to people."""
        found = next((path for path in self.files if path.lower() in {"readme.md", "readme.txt", "readme"}), "")
        return self.text(found)

    @property
    def templates(self) -> list[str]:
        """Paths of the templates and of the definitions of kinds, in order."""
        return sorted(path for path in self.files if path.startswith(("templates/", "crds/")))

    @property
    def vendored(self) -> set[str]:
        """Names of charts that lie in it."""
        inside = (path.split("/")[1] for path in self.files if path.startswith("charts/"))
        return {name.removesuffix(".tgz") for name in inside}

    @property
    def size(self) -> int:
        """Bytes it takes in memory."""
        return len(self.packed) + sum(map(len, self.files.values()))


def read_archive(packed: bytes) -> Archive:
    """The chart in an archive (a gzipped or plain tar).

    Raises:
        ToolError: ``invalid_chart``: not an archive, over a bound, with a path that leaves it, or without a sound
            ``Chart.yaml``.
    """
    try:
        files = _files(inflate(packed, most=_MOST_UNPACKED) if packed.startswith(GZIP) else packed)
    except InflateError as error:
        raise _invalid(f"it {error}") from error
    except (tarfile.TarError, OverflowError, ValueError, UnicodeError):
        raise _invalid("it is no tar archive") from None
    return Archive(_metadata(files), files, packed)


def _files(plain: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    top = ""
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
        for count, member in enumerate(tar):
            if count >= _MOST_FILES:
                raise _invalid(f"it holds more than {_MOST_FILES:,} files")
            if member.isdir() or member.name == "pax_global_header":
                continue
            if not member.isfile() or member.issparse() or member.size > len(plain):
                raise _invalid(f"{member.name[:100]!a} is no plain file")
            folder, _, path = member.name.removeprefix("./").partition("/")
            top = top or folder
            if not path or folder != top or posixpath.normpath(path) != path or path.startswith(("/", "..")):
                raise _invalid(f"{member.name[:100]!a} lies outside of its folder")
            content = tar.extractfile(member)
            found[path] = content.read() if content is not None else b""
    return found


def _metadata(files: Mapping[str, bytes]) -> ChartMetadata:
    if "Chart.yaml" not in files:
        raise _invalid("it has no Chart.yaml")
    try:
        value = load_one(files["Chart.yaml"].decode(), field="Chart.yaml")
        metadata = msgspec.convert(value, ChartMetadata, strict=False)
    except UnicodeDecodeError:
        raise _invalid("its Chart.yaml is no text") from None
    except InvalidArgument as error:
        raise _invalid(error.text) from None
    except msgspec.ValidationError as error:
        raise _invalid(f"Chart.yaml: {error}") from None
    if not metadata.name or not metadata.version:
        raise _invalid("its Chart.yaml names no name or version")
    return metadata


def _invalid(why: str) -> ToolError:
    return ToolError("invalid_chart", f"the archive is no chart: {why}", kind="final")
