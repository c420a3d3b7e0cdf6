"""Logs of the real system, one folder for each version that made them, and what every later version makes of them."""
