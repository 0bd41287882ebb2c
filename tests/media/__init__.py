"""Tests of ``campaign/media``."""
