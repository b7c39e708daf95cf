"""Facts about whole clusters: capacity, health, and the add-ons found in them."""
