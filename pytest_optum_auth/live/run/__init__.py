"""What a live run does to a run of pytest: which tests run, and what it ends with."""
