"""Documents of a manifest or of hooks, as many whole ones as fit into an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import CursorState, Page, Result
from cloud_native_mcp.services.helm.releases.manifest import documents_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.services.helm.releases.manifest import ReleaseDocument
    from cloud_native_mcp.services.helm.releases.record import Hook

ROOM: Final = 12_000
"""Bytes of documents as they are stored in one answer of 16 kB: masks and titles add to them."""
_FRAME: Final = 150


def document_page(header: str, documents: Sequence[ReleaseDocument], offset: int) -> Result:
    """Documents from that number on, and the cursor to the next ones."""
    end, room = offset, ROOM
    while end < len(documents) and (end == offset or room >= len(documents[end].text) + _FRAME):
        room -= len(documents[end].text) + _FRAME
        end += 1

    def resume(_: int) -> CursorState | None:
        return {"offset": end} if end < len(documents) else None

    part = f", documents {offset + 1} to {end} of {len(documents)}" if documents else ", which holds none"
    return Result(
        header=header + part,
        blocks=[one.block for one in documents[offset:end]],
        page=Page(resume, narrow="select"),
    )


def hook_documents(hooks: Sequence[Hook]) -> list[ReleaseDocument]:
    """The objects of hooks."""
    return [document for hook in hooks for document in documents_of(hook.manifest)]
