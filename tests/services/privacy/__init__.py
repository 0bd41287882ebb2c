"""Tests of ``campaign/services/privacy``."""
