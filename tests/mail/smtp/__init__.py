"""Tests of ``campaign/mail/smtp``."""
