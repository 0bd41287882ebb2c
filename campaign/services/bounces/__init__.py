"""Bounces: what a returned mail changes."""
