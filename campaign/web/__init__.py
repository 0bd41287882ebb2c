"""The web door: one folder for each part of the pages. ``app`` puts them together."""
