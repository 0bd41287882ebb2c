"""Benchmarks: each prints what we reach beside a limit measured in the same run, and their ratio."""
