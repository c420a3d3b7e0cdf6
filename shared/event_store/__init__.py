"""The event store: the envelope, the journal as a port, its implementation in memory, and snapshots."""
