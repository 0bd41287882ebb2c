"""Mail: texts become messages (bytes), messages go to a server, and returned mail is read."""
