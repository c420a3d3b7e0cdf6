"""What the gateway makes visible elsewhere: claimed, looked up, done, recorded."""
