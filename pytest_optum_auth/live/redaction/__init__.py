"""No output of a live run shows a secret."""
