"""Tests of mail: bytes as they are made, and as they go over the wire."""
