"""Tests of ``campaign/web/server``."""
