"""The kinds of challenge that come with Watchword: one file, one kind."""
