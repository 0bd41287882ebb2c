"""Petitions: their files, texts, states, counts and schedules."""
