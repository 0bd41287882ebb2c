"""Tests of ``campaign/services/moderation``."""
