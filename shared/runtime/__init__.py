"""What runs actors: hosts, mailboxes, reactors, activities, timers, dead letters, and the service around them."""
