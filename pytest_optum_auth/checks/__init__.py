"""A client's report card: the promises that a good client keeps, each tried by a scenario."""
