"""The web server, and the static copy of the pages."""
