"""Tests of what is done under attack: the lock, burning a petition, the frozen copy."""
