"""A flow played on this machine, with its client, and how the terminal tells of it."""
