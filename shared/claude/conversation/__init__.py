"""What is said to a running CLI and what its output says."""
