"""Tests of ``campaign/services/subscribers``."""
