"""Tests of ``campaign/services/exports``."""
