"""Sending messages: over SMTP, or into files."""
