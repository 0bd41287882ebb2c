"""Everything that keeps a secret: keys, sealed data, tokens and codes."""
