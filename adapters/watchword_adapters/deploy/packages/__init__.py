"""Packages: what the functions import, at which version, and what must never be shipped."""
