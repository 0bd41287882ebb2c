"""Periods: every time limit and number that is a promise to people."""
