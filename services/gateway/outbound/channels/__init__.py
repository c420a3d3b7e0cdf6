"""What is shown at senders besides GitHub: one module for each, which is a `Board`."""
