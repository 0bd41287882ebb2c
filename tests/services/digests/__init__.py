"""Tests of ``campaign/services/digests``."""
