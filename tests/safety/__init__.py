"""Whole lives, and what they leave behind."""
