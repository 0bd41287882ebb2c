"""Tests of ``campaign/mail/lint``."""
