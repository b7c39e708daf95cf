"""Label and field selectors: grammar, and matching of labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from cloud_native_mcp.backends.kubernetes.names import shortened
from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SELECTOR: Final = 2_000
LABEL_GRAMMAR: Final = "terms joined by commas: key, !key, key=value, key!=value, key in (a,b), key notin (a,b)"
FIELD_GRAMMAR: Final = "terms joined by commas: path=value or path!=value, like status.phase=Running"

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}"
_VALUE = rf"(?:{_NAME})?"
_TERM = re.compile(
    rf"\s*(?:!\s*{_KEY}"
    rf"|{_KEY}\s+(?:in|notin)\s*\(\s*{_VALUE}(?:\s*,\s*{_VALUE})*\s*\)"
    rf"|{_KEY}\s*(?:==?|!=)\s*{_VALUE}"
    rf"|{_KEY}\s*[<>]\s*-?[0-9]{{1,18}}"
    rf"|{_KEY})\s*",
    re.ASCII,
)
_SPLIT = re.compile(r",(?![^(]*\))")
_FIELD_PATH = re.compile(r"\s*[A-Za-z][A-Za-z0-9._/-]*\s*", re.ASCII)


class Requirement(msgspec.Struct, frozen=True, gc=False):
    """One expression of a selector inside an object."""

    key: str
    operator: str
    values: list[str] = []


class LabelSelector(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A selector inside an object (``spec.selector`` of a workload). An empty one matches everything."""

    match_labels: dict[str, str] = {}
    match_expressions: list[Requirement] = []


def check_label_selector(text: str, *, field: str = "label_selector") -> str:
    """A label selector, trimmed; nothing is sent for a malformed one.

    Raises:
        InvalidArgument: ``invalid_selector`` with the term that is wrong and the grammar.
    """
    _check_length(text, field)
    for term in _SPLIT.split(text):
        if not _TERM.fullmatch(term):
            raise _invalid(field, term, LABEL_GRAMMAR)
    return text.strip()


def check_field_selector(text: str, *, field: str = "field_selector") -> str:
    """A field selector, trimmed. Which paths a kind can be selected by only its server knows.

    Raises:
        InvalidArgument: ``invalid_selector`` with the term that is wrong and the grammar.
    """
    _check_length(text, field)
    for term in re.split(r"(?<!\\),", text):
        path, sign, value = term.partition("=")
        if not sign or not _FIELD_PATH.fullmatch(path.removesuffix("!")) or not value.removeprefix("=").isprintable():
            raise _invalid(field, term, FIELD_GRAMMAR)
    return text.strip()


def selector_text(selector: LabelSelector) -> str:
    """The selector in the form of a query parameter; empty when it matches everything."""
    terms = [f"{key}={value}" for key, value in sorted(selector.match_labels.items())]
    return ",".join(terms + [_requirement_text(requirement) for requirement in selector.match_expressions])


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether an object with these labels is selected."""
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _met(requirement, labels) for requirement in selector.match_expressions
    )


def _requirement_text(requirement: Requirement) -> str:
    if requirement.operator == "Exists":
        return requirement.key
    if requirement.operator == "DoesNotExist":
        return f"!{requirement.key}"
    return f"{requirement.key} {requirement.operator.lower()} ({','.join(requirement.values)})"


def _met(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    if requirement.operator == "In":
        return value in requirement.values
    if requirement.operator == "NotIn":
        return value not in requirement.values
    return (value is not None) == (requirement.operator == "Exists")


def _check_length(text: str, field: str) -> None:
    if not text.strip():
        raise InvalidArgument(field, "is empty; leave it out to select everything", code="invalid_selector")
    if len(text) > LONGEST_SELECTOR:
        raise InvalidArgument(field, f"is longer than {LONGEST_SELECTOR} characters", code="invalid_selector")


def _invalid(field: str, term: str, grammar: str) -> InvalidArgument:
    return InvalidArgument(
        field, f"{shortened(term.strip())} is not a selector term; {grammar}", code="invalid_selector"
    )
