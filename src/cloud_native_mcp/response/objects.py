"""Masks structured values by the kind of object they hold, before they are written out in any format.

A Kubernetes Secret keeps its keys, with the length and a keyed digest of each value, so that equal values are seen to
be equal. What is left out of every object: ``managedFields`` and the last-applied copy of the object.
"""

from __future__ import annotations

import base64
import binascii
import functools
import itertools
import re
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.contract.json_values import as_dict
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import CREDENTIAL_WORD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Digest = Callable[[bytes], str]

MAX_DEPTH: Final = 100
_LISTS: Final = (list, tuple)
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

_SECRET_NAME: Final = re.compile(CREDENTIAL_WORD + r"[._-]?\d{0,3}\Z", re.IGNORECASE)
_SECRET_FLAG: Final = re.compile(r"--?[\w.-]{0,100}" + CREDENTIAL_WORD, re.IGNORECASE)
_REFERENCE: Final = re.compile(r"\$[({][\w.]+[)}]|true|false", re.IGNORECASE)
_COPY_OF_OBJECT: Final = ("{", "[", "H4sI")
_SEALED_MAPS: Final = frozenset({"secureJsonData", "stringData"})


def masked(value: str | bytes, digest: Digest) -> str:
    """What is shown of a secret value: its length in bytes and its keyed digest."""
    raw = value.encode("utf-8", "replace") if isinstance(value, str) else value
    return f"<{len(raw)} bytes, sha {digest(raw)}>" if raw else "<0 bytes>"


def mask_object(value: object, digest: Digest) -> object:
    """A copy of a JSON-like value with secrets masked and every text cleaned.

    Args:
        digest: short keyed digest of a value.
    """
    return _Masker(digest).value(value, 0)


@functools.lru_cache(maxsize=8_192)
def is_secret_name(name: str) -> bool:
    """Whether a field or variable of that name holds a credential, as ``DB_PASSWORD`` and ``clientSecret`` do."""
    return _SECRET_NAME.search(name[-64:]) is not None


@functools.lru_cache(maxsize=8_192)
def _field(key: object) -> tuple[str, bool]:
    """A field's name as it is shown, and whether it holds a credential."""
    name = clean(str(key))
    return name, is_secret_name(name)


class _Masker:
    __slots__ = ("_digest",)

    def __init__(self, digest: Digest) -> None:
        self._digest = digest

    def value(self, value: object, depth: int) -> object:
        if isinstance(value, str):
            return clean(value)
        if depth > MAX_DEPTH and isinstance(value, (dict, *_LISTS)):
            return f"(nested deeper than {MAX_DEPTH} levels)"
        if isinstance(value, dict):
            return self._mapping(cast("Mapping[str, object]", value), depth)
        if isinstance(value, _LISTS):
            return self._sequence(cast("Sequence[object]", value), depth)
        if isinstance(value, bytes):
            return masked(value, self._digest)
        return value

    def _mapping(self, value: Mapping[str, object], depth: int) -> dict[str, object]:
        kind = value.get("kind")
        if kind == "Secret":
            return self._secret(value, depth)
        if kind == "SecretList" and isinstance(items := value.get("items"), list):
            secrets = [self._secret(as_dict(item), depth + 2) for item in cast("list[object]", items)]
            return {**self._fields({k: v for k, v in value.items() if k != "items"}, depth), "items": secrets}
        fields = self._fields(value, depth)
        name, given = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(given, str) and is_secret_name(name):
            fields["value"] = self._text(given)
        return fields

    def _fields(self, value: Mapping[str, object], depth: int) -> dict[str, object]:
        fields: dict[str, object] = {}
        for key, item in value.items():
            name, secret = _field(key)
            if isinstance(item, str):
                fields[name] = self._text(item) if secret else clean(item)
            elif name == "metadata" and isinstance(item, dict):
                fields[name] = self._metadata(cast("Mapping[str, object]", item), depth + 1)
            elif secret and isinstance(item, _LISTS):
                fields[name] = self._under_secret_name(cast("Sequence[object]", item), depth)
            elif name in _SEALED_MAPS and isinstance(item, dict):
                fields[name] = self._sealed(cast("Mapping[str, object]", item), encoded=False)
            else:
                fields[name] = self.value(item, depth + 1)
        return fields

    def _metadata(self, metadata: Mapping[str, object], depth: int, *, of_secret: bool = False) -> dict[str, object]:
        fields = self._fields({k: v for k, v in metadata.items() if k not in {"managedFields", "annotations"}}, depth)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            kept = {k: v for k, v in cast("dict[str, object]", annotations).items() if k != LAST_APPLIED}
            shown = self._fields(kept, depth + 1)
            if of_secret:
                shown = {k: self._copy(v) for k, v in shown.items()}
            if shown:
                fields["annotations"] = shown
        return fields

    def _copy(self, annotation: object) -> object:
        """An annotation of a Secret that looks like a copy of the object (tools keep such copies) is masked whole."""
        if isinstance(annotation, str) and annotation.lstrip().startswith(_COPY_OF_OBJECT):
            return masked(annotation, self._digest)
        return annotation

    def _secret(self, secret: Mapping[str, object], depth: int) -> dict[str, object]:
        shown: dict[str, object] = {}
        for key, item in secret.items():
            if key in {"data", "stringData"}:
                shown[str(key)] = self._sealed(item, encoded=key == "data")
            elif key == "metadata" and isinstance(item, dict):
                shown["metadata"] = self._metadata(cast("Mapping[str, object]", item), depth + 1, of_secret=True)
            elif key in {"kind", "apiVersion", "type", "immutable"}:
                shown[str(key)] = self.value(item, depth + 1)
            else:
                shown.update(self._fields({key: item}, depth))
        return shown

    def _sealed(self, values: object, *, encoded: bool) -> object:
        if not isinstance(values, dict):
            return None if values is None else masked(str(values), self._digest)
        return {
            clean(str(key)): masked(_decoded(item) if encoded else str(item), self._digest)
            for key, item in cast("dict[str, object]", values).items()
        }

    def _under_secret_name(self, item: Sequence[object], depth: int) -> object:
        return [self._text(part) if isinstance(part, str) else self.value(part, depth + 2) for part in item]

    def _text(self, text: str) -> str:
        return text if not text or _REFERENCE.fullmatch(text) else masked(text, self._digest)

    def _sequence(self, values: Sequence[object], depth: int) -> list[object]:
        shown = [self.value(item, depth + 1) for item in values]
        for at, (before, item) in enumerate(itertools.pairwise(values), start=1):
            follows_flag = isinstance(before, str) and before.startswith("-") and _SECRET_FLAG.fullmatch(before)
            if follows_flag and isinstance(item, str) and not item.startswith("-"):
                shown[at] = self._text(item)
        return shown


def _decoded(value: object) -> bytes:
    """The bytes behind a value of ``data``: base64 as the API has it, or the text itself where it is not."""
    text = str(value)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "replace")
