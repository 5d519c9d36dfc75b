"""What outlives a round of a sign-in: the tickets that links carry, and the evidence of what was passed."""
