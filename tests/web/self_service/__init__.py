"""Tests of ``campaign/web/self_service``."""
