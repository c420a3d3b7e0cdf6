"""What the task commands do and show."""
