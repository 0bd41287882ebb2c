"""Returned mail: bounces and complaints, and the mailboxes that they are read from."""
