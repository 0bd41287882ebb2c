"""Tests of ``campaign/mail/returned``."""
