"""Tests of ``campaign/web/core``."""
