"""Where commands may be run in containers, which commands, and from which images new containers may be made."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloud_native_mcp.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ExecPolicy:
    """The operator's lists of one cluster.

    Attributes:
        namespaces: patterns (``*`` stands for any text) of namespaces.
        images: patterns of image references, compared as they are written.
        commands: beginnings of commands, word by word: ``cat /etc/hosts`` admits that and further arguments.
        setting: the configuration path of the lists, for the error.
    """

    namespaces: Sequence[str] = ("*",)
    images: Sequence[str] = ()
    commands: Sequence[str] = ("*",)
    setting: str = "policy.exec"

    def check_namespace(self, namespace: str) -> None:
        """Refuse a namespace that is not listed.

        Raises:
            ToolError: ``denied_by_policy``, naming the setting.
        """
        if not any(fnmatchcase(namespace, pattern) for pattern in self.namespaces):
            raise self._denied(f"running commands in namespace {namespace}", "namespaces", namespace)

    def check_image(self, image: str) -> None:
        """Refuse an image that is not listed; raises as `check_namespace`."""
        if not any(fnmatchcase(image, pattern) for pattern in self.images):
            raise self._denied(f"a new container of image {image}", "images", "it, or a pattern such as registry/*,")

    def check_command(self, command: Sequence[str]) -> None:
        """Refuse a command that does not begin as a listed one; raises as `check_namespace`."""
        for allowed in self.commands:
            words = allowed.split()
            if allowed == "*" or (words and list(command[: len(words)]) == words):
                return
        raise self._denied(f"the command {command[0]!a}", "commands", "its first words")

    def _denied(self, what: str, name: str, entry: str) -> ToolError:
        text = f"{what} is refused here; the operator can add {entry} to {self.setting}.{name}"
        return ToolError("denied_by_policy", text, kind="final")
