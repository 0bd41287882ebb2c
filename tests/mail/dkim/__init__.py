"""Tests of ``campaign/mail/dkim``."""
