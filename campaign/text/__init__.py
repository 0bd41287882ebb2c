"""Text that people type: what it may contain, how it is compared, and how it is shown."""
