"""Tests of ``campaign/web/public``."""
