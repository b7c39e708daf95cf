"""Takes credentials out of free text.

This is the net below the masks that know the object (`objects`): it looks for what a credential looks like. Every pass
is linear in the text. A value that is already a mask, a boolean or a reference to a variable stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.response.linear import linear

if TYPE_CHECKING:
    from cloud_native_mcp.response.linear import Match

MASK: Final = "***"

CREDENTIAL_WORD: Final = (
    r"(?:password|passwd|passphrase|pwd|secret|token|credentials?|api[_.-]?key|access[_.-]?key|secret[_.-]?key"
    r"|private[_.-]?key|signing[_.-]?key|encryption[_.-]?key|connection[_.-]?string)"
)
"""Words that, at the end of a name, say that the value is a credential."""

_KNOWN_TOKENS: Final = (
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|gls[ac]_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}|hvs\.[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}"
)
_TRIGGER: Final = linear(
    r"(?i)://[^\s/]*@|eyj|-----begin|bearer|basic|authorization|cookie|x-auth|"
    + CREDENTIAL_WORD
    + r"|[?&](?:sig|signature|key|code|x-amz-[a-z-]+)=|gh[pousr]_|github_pat_|gls[ac]_|glpat-|xox|a[ks]ia|hvs\.|aiza"
)
_JWT: Final = linear(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?(?:\.[A-Za-z0-9_-]+){0,2}")
_KNOWN: Final = linear(_KNOWN_TOKENS)
_USER_INFO: Final = linear(r"""(?i)([a-z][a-z0-9+.-]*://)[^\s/?#"'<>]*@""")
_SCHEME: Final = linear(r"(?i)\b(bearer|basic|negotiate|apikey)([ \t]+)([A-Za-z0-9._~+/=-]{8,})")
_HEADER: Final = linear(
    r"""(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-auth-[a-z-]+)"""
    r"""(\\*["']?[ \t]*[:=][ \t]*\[?\\*["']?)([^\n"'\\\]]+)"""
)
_QUERY: Final = linear(r"""(?i)([?&](?:sig|signature|key|code|x-amz-[a-z-]+)=)[^\s&"'<>#]+""")
_VALUE: Final = r"""(<\d+ bytes(?:, sha [0-9a-f]+)?>|\\+"[^"\\\n]*|"(?:[^"\\\n]|\\.)*|'[^'\n]*|[^\s"'&;,][^\s"'&;]*)"""
_PAIR: Final = linear(
    r"""(?i)([a-z0-9_.-]*""" + CREDENTIAL_WORD + r"""[._-]?\d{0,3})(\\*["']?[ \t]*(?::=|=>|[:=])[ \t]*)""" + _VALUE
)
_FLAG: Final = linear(
    r"""(?im)((?:--|(?:^|[^a-z0-9._-])-)[a-z0-9_.-]*"""
    + CREDENTIAL_WORD
    + r""")(\\*["']?,?[ \t]+\\*["']?)([^\s"'\\-][^\s"'\\]*)"""
)
_BEGIN_KEY: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY( BLOCK)?-----")
_END_KEY: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY( BLOCK)?-----")
_BLOCK_START: Final = linear(r"(?im)" + CREDENTIAL_WORD + r"""["']?:[ \t]*[|>][-+\d]{0,2}[ \t]*$""")
_BLOCK: Final = re.compile(
    r"^([ \t]*(?:- )?)[^\n]{0,200}?" + CREDENTIAL_WORD + r"[\"']?:[ \t]*[|>][-+\d]{0,2}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_KEY_LINE: Final = re.compile(r"[A-Za-z0-9+/=]{16}")
_NO_SECRET: Final = re.compile(
    r"""[\\"']*(?:true|false|null|nil|none|undefined|\*+|\$[({][\w.]+[)}]|<\d+ bytes(?:, sha [0-9a-f]+)?>|)"""
    r"""[\\"',;)}\]]*""",
    re.IGNORECASE,
)
_PROSE: Final = re.compile(r"[A-Za-z]?[a-z]+[.:]?")
_NAMED_OBJECT: Final = re.compile(r"""\\*["'][ \t]+:[ \t]*""")
_QUOTES: Final = re.compile(r"""[\\"']*""")


def scrub(text: str) -> str:
    """The text with credentials replaced by ``***``.

    Found: private keys, JSON web tokens, tokens of well-known makers, ``Authorization`` and cookie values, bearer and
    basic credentials, user info and signed parameters in URLs, and values next to names such as ``password``.
    """
    try:
        if _TRIGGER.search(text) is None:
            return text
    except UnicodeEncodeError:
        return scrub(text.encode("utf-8", "replace").decode("utf-8"))
    text = _mask_yaml_blocks(_mask_private_keys(text))
    text = _HEADER.sub(_mask_value, text)
    text = _SCHEME.sub(_mask_scheme, text)
    text = _JWT.sub(MASK, text)
    text = _KNOWN.sub(MASK, text)
    text = _USER_INFO.sub(_mask_user_info, text)
    text = _QUERY.sub(_mask_query, text)
    text = _PAIR.sub(_mask_value, text)
    return _FLAG.sub(_mask_value, text)


def _mask_private_keys(text: str) -> str:
    found = _BEGIN_KEY.search(text)
    if found is None:
        return text
    kept: list[str] = []
    at = 0
    while found is not None:
        kept.extend((text[at : found.start()], MASK))
        end = _END_KEY.search(text, found.end())
        at = end.end() if end is not None else _end_of_key_lines(text, found.end())
        found = _BEGIN_KEY.search(text, at)
    return "".join([*kept, text[at:]])


def _end_of_key_lines(text: str, start: int) -> int:
    """Where a key without its end line stops: before the first later line without a run of key material."""
    at = text.find("\n", start)
    while at != -1:
        end = text.find("\n", at + 1)
        line = text[at + 1 : end if end != -1 else len(text)]
        if _KEY_LINE.search(line) is None:
            return at
        at = end
    return len(text)


def _mask_yaml_blocks(text: str) -> str:
    """Masks the lines of a YAML block text under a secret-looking key."""
    if _BLOCK_START.search(text) is None:
        return text
    found = _BLOCK.search(text)
    kept: list[str] = []
    at = 0
    while found is not None:
        indent = len(found.group(1))
        end = found.end()
        while (start := end + 1) <= len(text):
            stop = text.find("\n", start)
            line = text[start : stop if stop != -1 else len(text)]
            if line.strip() and len(line) - len(line.lstrip()) <= indent:
                break
            end = start + len(line)
        kept.extend((text[at : found.end()], "\n", " " * (indent + 2), MASK))
        at = end
        found = _BLOCK.search(text, at)
    return "".join([*kept, text[at:]])


def _part(match: Match, number: int) -> str:
    return match.group(number) or ""


def _mask_value(match: Match) -> str:
    name, between, value = _part(match, 1), _part(match, 2), _part(match, 3)
    opening = _QUOTES.match(value)
    bare = opening is None or not opening.group()
    if _NO_SECRET.fullmatch(value) or (bare and _NAMED_OBJECT.fullmatch(between)):
        return name + between + value  # `volume "db-secret" : secret …` speaks of an object of that name
    closing = value[len(value.rstrip(")]}")) :]
    return f"{name}{between}{opening.group() if opening else ''}{MASK}{closing}"


def _mask_scheme(match: Match) -> str:
    scheme, between, value = _part(match, 1), _part(match, 2), _part(match, 3)
    if _PROSE.fullmatch(value):
        return scheme + between + value
    return scheme + between + MASK


def _mask_user_info(match: Match) -> str:
    return f"{_part(match, 1)}{MASK}@"


def _mask_query(match: Match) -> str:
    return _part(match, 1) + MASK
