"""What is shown of a command's output: masked first, then cut to its beginning and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_native_mcp.contract.result import Text
from cloud_native_mcp.services.kubernetes.logs.credentials import LineMask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_native_mcp.backends.kubernetes.exec_stream import Output

SHOWN_BYTES: Final = 24_000
"""Of all output in one answer."""


def blocks_of(outputs: Mapping[str, Output], *, source: str) -> list[Text]:
    """A block for each stream that has output; a stream may have what others leave, and half of the room at least."""
    texts = {name: masked_text(output) for name, output in outputs.items() if output.size}
    share = SHOWN_BYTES // max(1, len(texts))
    blocks: list[Text] = []
    for name, text in texts.items():
        others = sum(min(share, len(other.encode())) for key, other in texts.items() if key != name)
        shown = fit(text, SHOWN_BYTES - others)
        title = f"{name} ({outputs[name].size} bytes{'' if shown == text else ', cut'}):"
        blocks.append(Text(shown, title=title, untrusted=True, source=source))
    return blocks


def masked_text(output: Output) -> str:
    """The output as text without credentials; where its middle is missing, a line says so.

    Lines that are not whole beside the gap are left out: half of a credential would not be known as one.
    """
    head, tail = bytes(output.head), bytes(output.tail)
    if not output.dropped:
        return _masked(head + tail)
    first, tail = head.rpartition(b"\n")[0], tail.partition(b"\n")[2]
    gap = output.size - len(first) - len(tail)
    return f"{_masked(first)}\n… {gap} bytes left out …\n{_masked(tail)}"


def fit(text: str, most: int) -> str:
    """A masked text within that many bytes: its beginning and its end, at the borders of lines where it has some."""
    data = text.encode()
    if len(data) <= most:
        return text
    half = max(0, most - 60) // 2
    head, tail = data[:half], data[len(data) - half :]
    head, tail = head.rpartition(b"\n")[0] or head, tail.partition(b"\n")[2] or tail
    gap = len(data) - len(head) - len(tail)
    return f"{head.decode(errors='ignore')}\n… {gap} bytes left out …\n{tail.decode(errors='ignore')}"


def _masked(data: bytes) -> str:
    return "\n".join(LineMask().lines(data.decode("utf-8", "replace")))
