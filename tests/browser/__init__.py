"""Tests in a real browser, against the program as ``python app.py`` runs it, with mails over real SMTP."""
