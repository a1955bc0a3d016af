"""What the bundled contract asks of an endpoint, and the table that tells the answers."""
