"""What the executor observes of a result: its checks, run by ourselves in clean checkouts of it and of its base."""
