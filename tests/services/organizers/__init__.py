"""Tests of ``campaign/services/organizers``."""
