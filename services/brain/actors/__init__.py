"""The actors the brain owns."""
