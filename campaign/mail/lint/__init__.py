"""The linter: finds what is wrong with a message before an edition is sent."""
