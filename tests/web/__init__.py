"""Tests of the web door: what a visitor's browser sends and gets."""
