"""What the tests of rendering share: a renderer with a known key, and the text of an answer."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from cloud_native_mcp.response.render import Renderer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.contract.result import Result
    from cloud_native_mcp.response.render import Rendered


def digest(value: bytes) -> str:
    return hmac.new(b"key of the tests", value, "sha256").hexdigest()[:10]


def plain_digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:10]


def seal(state: Mapping[str, object]) -> str:
    return "sealed:" + ",".join(f"{name}={value}" for name, value in state.items())


def render(result: Result, *, limit: int = 16_000) -> Rendered:
    return Renderer(digest).render(result, limit=limit, seal=seal)


def shown(result: Result, *, limit: int = 16_000) -> str:
    return text_of(render(result, limit=limit))


def text_of(rendered: Rendered) -> str:
    text = rendered.content[0]["text"]
    assert isinstance(text, str)
    return text
