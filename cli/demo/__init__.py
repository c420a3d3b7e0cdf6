"""The demonstration: one real task from a signed webhook to a commit, told as it happens, and then checked."""
