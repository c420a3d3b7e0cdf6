"""Setting up GitHub: making the App, and trying what it may and may not do."""
