"""The actors the gateway owns."""
