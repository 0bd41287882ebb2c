"""Mail: from words to bytes, and from bytes to a server."""
