"""Workers that are killed, and what is left to find."""
