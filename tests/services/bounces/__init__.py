"""Tests of ``campaign/services/bounces``."""
