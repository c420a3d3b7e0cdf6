"""Webhooks that people make themselves: how they are verified, what is read in them, and where their secrets lie."""
