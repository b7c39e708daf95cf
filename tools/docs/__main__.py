"""``python -m tools.docs``."""

from tools.docs.pages import write

write()
