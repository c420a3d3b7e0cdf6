"""Recorded outputs of the real Claude Code CLI, and the program that records them."""
