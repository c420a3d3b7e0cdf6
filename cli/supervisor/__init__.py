"""The supervisor behind `journeyman up`: NATS, the demo model and the services as children that are kept running."""
