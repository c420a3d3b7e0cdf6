"""The brain in conversation: what answers people's messages, and the tools that it has."""
