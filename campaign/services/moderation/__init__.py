"""Moderation: the signatures and comments that wait for a review, and the decisions about them."""
