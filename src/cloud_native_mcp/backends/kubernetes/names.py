"""Rules for names in requests: what is not a name never reaches a URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.errors import InvalidArgument

if TYPE_CHECKING:
    from cloud_native_mcp.backends.kubernetes.resources import Resource

LONGEST_NAME: Final = 253
LONGEST_NAMESPACE: Final = 63
_SHOWN: Final = 60

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_PATH_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._@-]*", re.ASCII)


def check_name(value: str, *, field: str = "name", resource: Resource | None = None) -> str:
    """The name of an object, as given.

    Most kinds take a DNS-1123 subdomain. RBAC, IP addresses and OpenShift's users also hold ``:``, ``@`` and capitals.

    Raises:
        InvalidArgument: anything else, naming the field and the rule.
    """
    if resource is not None and _freely_named(resource):
        if len(value) <= LONGEST_NAME and _PATH_SEGMENT.fullmatch(value):
            return value
        rule = "letters, digits, '-', '.', ':', '_' and '@', starting with a letter or digit"
    else:
        if len(value) <= LONGEST_NAME and _SUBDOMAIN.fullmatch(value):
            return value
        rule = "lower case letters, digits, '-' and '.', starting and ending with a letter or digit"
    raise InvalidArgument(
        field, f"{shortened(value)} is not a Kubernetes name: {rule}, at most {LONGEST_NAME} characters"
    )


def check_namespace(value: str, *, field: str = "namespace") -> str:
    """The name of a namespace (a DNS-1123 label), as given.

    Raises:
        InvalidArgument: anything else, naming the field and the rule.
    """
    if len(value) <= LONGEST_NAMESPACE and _LABEL.fullmatch(value):
        return value
    raise InvalidArgument(
        field,
        f"{shortened(value)} is not a namespace name: lower case letters, digits and '-', "
        f"starting and ending with a letter or digit, at most {LONGEST_NAMESPACE} characters",
    )


def shortened(value: str) -> str:
    """A value as error texts repeat it: quoted, escaped, cut."""
    return ascii(value if len(value) <= _SHOWN else f"{value[: _SHOWN - 3]}...")


def _freely_named(resource: Resource) -> bool:
    group = resource.group
    return group == "rbac.authorization.k8s.io" or group.endswith("openshift.io") or resource.plural == "ipaddresses"
