"""What the lab needs to know of a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

    from lab.context import Lab


class Server(ABC):
    """A server the lab runs. One class per server; the list of them is in `lab.servers`."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    """Servers that must be ready before this one starts."""
    artefacts: ClassVar[tuple[str, ...]] = ()
    """Artefacts it uses besides the binary of its own name."""
    built: ClassVar[bool] = True
    """Whether its binary is an artefact of its own name."""
    ports: ClassVar[tuple[str, ...]] = ()
    """Names of the ports it listens on."""
    patience: ClassVar[float] = 60.0
    """Seconds it may take to get ready."""

    @property
    def needed(self) -> tuple[str, ...]:
        """Every artefact it uses."""
        return (self.name, *self.artefacts) if self.built else self.artefacts

    def configure(self, lab: Lab) -> tuple[Path, ...]:
        """Write its configuration files; a change in one of those answered restarts the server."""
        del lab
        return ()

    def prepare(self, lab: Lab) -> None:
        """Do what must be done just before it starts; not called when it runs already."""
        del lab

    @abstractmethod
    def command(self, lab: Lab) -> list[str]:
        """The command line; its first word is the path of the binary."""

    @abstractmethod
    def is_ready(self, lab: Lab) -> bool:
        """Whether it does its work now."""

    def settle(self, lab: Lab) -> None:
        """Do what can only be done once it is ready; must be harmless when repeated."""
        del lab

    def facts(self, lab: Lab) -> dict[str, str]:
        """Its lines of the env file."""
        del lab
        return {}
