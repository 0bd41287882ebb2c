"""Tests of ``campaign/crypto``."""
