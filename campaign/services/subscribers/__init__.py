"""Subscribers: who gets a digest, and which addresses get no mail."""
