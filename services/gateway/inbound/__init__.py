"""What comes in from outside: read with bounds, verified on the raw bytes, stored before it is answered."""
