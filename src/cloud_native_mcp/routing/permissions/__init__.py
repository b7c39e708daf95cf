"""Who may do what: roles, whom they are given to, and the decision for one call."""
