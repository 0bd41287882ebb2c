"""Tests: they mirror ``campaign/``, over real databases, real SMTP servers and a real browser."""
