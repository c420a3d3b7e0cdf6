"""What we measure ourselves against: each the conventional, or the barest, way to do the same thing."""
