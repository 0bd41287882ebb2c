"""Signatures: sign, confirm, see one's own, withdraw; signatures on paper; and the names that everybody may see."""
