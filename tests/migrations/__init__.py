"""Tests of the way the schema takes, up and down."""
