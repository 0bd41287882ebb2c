"""The linter: it finds problems in a message before an edition is sent."""
