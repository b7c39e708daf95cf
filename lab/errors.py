"""What goes wrong in the lab, told to the person at the keyboard."""

from __future__ import annotations


class LabError(Exception):
    """A lab command cannot go on; the text says what happened and what to do."""
