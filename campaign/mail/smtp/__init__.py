"""Transports: they send messages by SMTP, or write them into files."""
