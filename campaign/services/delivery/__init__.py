"""Delivery: the ledger of every mail, and the senders that work it off."""
