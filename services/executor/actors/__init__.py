"""The actors the executor owns."""
