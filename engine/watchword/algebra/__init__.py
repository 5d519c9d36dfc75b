"""Flows, and the decision that a session leads to: all that Define needs."""
