"""Tests of ``campaign/services/petitions``."""
