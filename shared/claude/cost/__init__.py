"""What an agent has spent: from its stream, from its files, and reconciled with the log."""
