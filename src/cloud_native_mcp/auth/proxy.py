"""Callers that a trusted proxy has authenticated: it says in header fields who they are.

The fields count only when the connection itself comes from one of ``server.trusted_proxies``; everybody else's are
dropped before. The proxy must set or remove them in each request, or its clients could write them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.auth.credentials import MOST_GROUPS, BadCredentials
from cloud_native_mcp.backends.kubernetes.impersonation import may_be
from cloud_native_mcp.contract.principal import Principal

if TYPE_CHECKING:
    from cloud_native_mcp.auth.config import ProxyConfig
    from cloud_native_mcp.auth.credentials import Credentials


class ProxyHeaders:
    """Takes the word of trusted proxies (`auth.credentials.AuthMethod`)."""

    def __init__(self, config: ProxyConfig) -> None:
        self._user = config.user_header.lower().encode("ascii")
        self._groups = config.groups_header.lower().encode("ascii")
        self._separator = config.groups_separator

    async def find(self, credentials: Credentials) -> Principal | None:
        """Whom the proxy names; None when no proxy is asked, or it names nobody.

        Raises:
            BadCredentials: the field is there twice, or holds what is no name.
        """
        users = [value.decode("latin-1").strip() for name, value in credentials.vouched if name == self._user]
        if not users or users == [""]:
            return None
        user = users[0]
        if len(users) > 1 or not may_be(user):
            raise BadCredentials(f"{self._user.decode('ascii')} does not name one caller")
        return Principal(id=user, method="proxy", groups=self._groups_in(credentials))

    def _groups_in(self, credentials: Credentials) -> tuple[str, ...]:
        texts = [value.decode("latin-1") for name, value in credentials.vouched if name == self._groups]
        groups = dict.fromkeys(group.strip() for text in texts for group in text.split(self._separator))
        kept = list(filter(may_be, groups))
        if len(kept) > MOST_GROUPS:
            raise BadCredentials(f"{self._groups.decode('ascii')} names more than {MOST_GROUPS} groups")
        return tuple(kept)
