"""Messages a server shows to its operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.counts import number_of
from cloud_native_mcp.contract.result import Page, Result, Table
from cloud_native_mcp.services.prometheus.answers import Notification, Reply
from cloud_native_mcp.services.prometheus.client import Asked
from cloud_native_mcp.services.prometheus.masking import message

if TYPE_CHECKING:
    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.services.prometheus.service import Backend


async def notifications(backend: Backend, deadline: Deadline, *, limit: int) -> Result:
    """Notifications such as a failed reload, newest first."""
    asked = Asked("notifications", alternative="they came with Prometheus 3.0; view=overview shows the last reload")
    reply = await backend.client.get("/notifications", Reply[list[Notification]], asked, deadline=deadline)
    found = sorted(reply.data or [], key=lambda entry: entry.date, reverse=True)
    rows = [[entry.date, entry.active, message(entry.text)] for entry in found[:limit]]
    page = Page(resume=None, total=len(found), narrow="limit")
    blocks = [Table(["DATE", "ACTIVE", "TEXT"], rows)] if rows else []
    return Result(header=f"{backend.name}: {number_of(len(found), 'notification')}", blocks=blocks, page=page)
