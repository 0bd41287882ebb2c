"""Privacy: retention, erasure, and what a person is told about their own data."""
