"""Tools of ours for agents: served by the service over a socket, and carried to the CLI by a relay."""
