"""The algebra: flows, and the decision that a session leads to. All that Define needs."""
