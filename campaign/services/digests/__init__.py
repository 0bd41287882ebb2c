"""Digests: what an edition says, who gets it, and how it moves from draft to sent."""
