"""What every part of the product stands on: no contract, no log, no NATS."""
