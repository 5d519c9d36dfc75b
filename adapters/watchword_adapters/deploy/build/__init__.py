"""The build: three functions as zips, the same bytes every time, and a trial of each."""
