"""Loading: the plugins that are installed, and flows from TOML files."""
