"""Tests of ``campaign/web/organizers``."""
