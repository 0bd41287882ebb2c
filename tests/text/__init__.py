"""Tests of ``campaign/text``."""
