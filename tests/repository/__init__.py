"""Tests of the repository itself: what every file, route and sentence must have."""
