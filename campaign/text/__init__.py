"""Text that people type: what it may hold, how it is compared, and how it is shown."""
