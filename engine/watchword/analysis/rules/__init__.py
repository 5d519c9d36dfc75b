"""Rules of `check` that are each a matter of its own: what strangers see, and what users must have enrolled."""
