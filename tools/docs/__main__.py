"""``python -m tools.docs``."""

from tools.docs import write

write()
