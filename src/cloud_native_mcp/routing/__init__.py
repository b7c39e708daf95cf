"""Which tool a call means, whether its arguments and effect are allowed, and its cursors."""
