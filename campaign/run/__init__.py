"""Runs the server: the commands ``serve`` and ``worker``, the supervisor, and the static copy of the pages."""
