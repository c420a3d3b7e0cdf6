"""Random faults against a whole running system, and the proof that nothing was lost and nothing happened twice."""
