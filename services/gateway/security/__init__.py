"""What stands before every route: the origin guard, and the headers that tell browsers how to use our answers."""
