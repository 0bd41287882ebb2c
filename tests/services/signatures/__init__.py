"""Tests of ``campaign/services/signatures``."""
