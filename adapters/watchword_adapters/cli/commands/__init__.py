"""The commands: one module each, named in `watchword_adapters.cli.COMMANDS`."""
