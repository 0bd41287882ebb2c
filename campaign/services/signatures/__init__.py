"""Signatures: sign, confirm, look at one's own, withdraw; on paper too; and who is shown."""
