"""Tests of ``campaign/services/abuse``."""
