"""Adapters between the engine and AWS, mail, databases and the command line. They decide nothing."""
