"""Tests of ``campaign/services/operations``."""
