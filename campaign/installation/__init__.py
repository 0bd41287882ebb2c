"""The installation: its collaborators, its first set-up, and the leases of its processes."""
