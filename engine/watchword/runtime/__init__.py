"""The runtime: Create and Verify, and what they keep between calls."""
