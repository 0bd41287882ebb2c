"""The web pages: one folder for each part of them. ``app`` puts them together."""
