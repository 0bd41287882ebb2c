"""Tests of ``campaign/run``."""
