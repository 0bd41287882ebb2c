"""Tests of ``campaign/web/auth``."""
