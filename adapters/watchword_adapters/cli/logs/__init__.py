"""Lambda events as logs hold them, read without their secrets."""
