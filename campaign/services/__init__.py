"""Verbs. A function that takes ``session`` never commits; one that takes ``sessions`` owns its transactions."""
