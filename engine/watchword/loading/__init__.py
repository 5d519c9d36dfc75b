"""Load installed plugins, and flows from TOML files."""
