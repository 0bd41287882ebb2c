"""Tests of ``campaign/cli``."""
