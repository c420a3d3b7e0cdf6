"""What `journeyman prune` looks for: one file for each kind of things that nobody needs any more."""
