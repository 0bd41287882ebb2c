"""Limits: how much one network, or everybody together, may send."""
