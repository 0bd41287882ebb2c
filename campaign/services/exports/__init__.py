"""Exports: lists of signatures and of subscribers."""
