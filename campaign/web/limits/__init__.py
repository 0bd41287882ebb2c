"""Limits: how much one network, or all people together, may send."""
