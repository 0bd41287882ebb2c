"""Tests of the verbs, each on SQLite and on PostgreSQL."""
