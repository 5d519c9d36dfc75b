"""Sign-in: which call leads to which trigger, challenge or token."""
