"""Dialects: how a foreign client speaks, turned into the engine's values and back, so that neither engine nor kinds learn its words."""
