"""Hostile input, generated: every place where something comes in from outside is asked thousands of odd things."""
