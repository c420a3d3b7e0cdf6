"""NATS JetStream behind one thin adapter: the only place that imports nats-py."""
