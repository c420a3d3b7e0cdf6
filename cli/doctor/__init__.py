"""What `journeyman doctor` looks at."""
