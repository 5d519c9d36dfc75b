"""Puts this folder on `sys.path`, so that tests in every folder can import what stands here."""
