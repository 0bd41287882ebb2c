"""Tests of ``campaign/services/delivery``."""
