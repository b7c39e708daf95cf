"""The objects of a release's manifest or of its hooks, document by document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.backends.kubernetes.manifests import Manifested
from cloud_native_mcp.contract.json_values import as_dict, as_str, dig
from cloud_native_mcp.contract.result import Document, Text
from cloud_native_mcp.contract.yaml import load_one
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.contract.result import Block

KEEP: Final = "keep"
_POLICY: Final = "helm.sh/resource-policy"
_SOURCE: Final = re.compile(r"^# Source: (.+)$", re.MULTILINE)
_A_SECRET: Final = re.compile(r"""["']?kind["']?\s*:\s*["']?Secret""")
_BREAK: Final = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ReleaseDocument(Manifested):
    """One document. ``object`` is empty when the text is no YAML object; ``source`` is the template it came from."""

    text: str
    source: str

    @property
    def api_version(self) -> str:
        """Group and version."""
        return as_str(self.object.get("apiVersion"))

    @property
    def kept(self) -> bool:
        """Whether it stays when the release goes."""
        return as_str(dig(self.object, "metadata", "annotations", _POLICY)).strip().lower() == KEEP

    @property
    def label(self) -> str:
        """``Deployment web``, or where the text came from."""
        return f"{self.kind} {self.name}".strip() or self.source or "a text that is no object"

    @property
    def block(self) -> Block:
        """The document for an answer: masked by its kind, or as text when it is no object."""
        title = f"# {self.source}" if self.source else ""
        if self.object:
            return Document(self.object, title=title, untrusted=True, source=self.label)
        if _A_SECRET.search(self.text):
            return Text(f"a Secret of {len(self.text)} characters that is not read here as YAML", title=title)
        return Text(self.text, title=title, untrusted=True, source=self.label)


def documents_of(manifest: str) -> list[ReleaseDocument]:
    """The documents of a manifest that hold anything, in its order."""
    found: list[ReleaseDocument] = []
    for text in _BREAK.split(manifest):
        source = _SOURCE.search(text)
        try:
            value = load_one(text, field="manifest")
        except InvalidArgument:
            value = "no YAML"
        if value is None:
            continue
        found.append(ReleaseDocument(as_dict(value), text.strip("\n"), source[1].strip() if source else ""))
    return found


def selected(documents: Sequence[ReleaseDocument], select: str) -> list[ReleaseDocument]:
    """The documents of a kind, or of a kind and name, letter case aside.

    Args:
        select: ``Deployment`` or ``Deployment/web``; the plural of a kind counts too.

    Raises:
        InvalidArgument: nothing is selected; what there is is named.
    """
    if not select:
        return list(documents)
    kind, _, name = select.strip().lower().partition("/")
    kinds = {kind, kind.removesuffix("s"), kind.removesuffix("es"), f"{kind.removesuffix('ies')}y"}
    found = [one for one in documents if one.kind.lower() in kinds and name in {"", one.name.lower()}]
    if not found:
        there = ", ".join(dict.fromkeys(f"{one.kind}/{one.name}" for one in documents[:20])) or "nothing"
        raise InvalidArgument("select", f"takes none of the objects; there are {there}")
    return found
