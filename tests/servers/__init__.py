"""Real services for tests: PostgreSQL, SMTP servers and a browser, each private to the test that starts it."""
