"""The analysis: what can be said of a flow before anybody signs in by it."""
