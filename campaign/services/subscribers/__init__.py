"""Subscribers: who gets a digest, and to which addresses nothing is sent."""
