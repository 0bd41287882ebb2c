"""Running everything on one machine: the commands for it, the supervisor, and the static copy of the pages."""
