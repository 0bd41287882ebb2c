"""Benchmarks: each prints our result, a limit measured in the same run, and their ratio."""
