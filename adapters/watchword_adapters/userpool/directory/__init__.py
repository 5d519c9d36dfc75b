"""The directory: users and groups, and where a pool keeps them."""
