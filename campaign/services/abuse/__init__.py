"""Abuse: signatures that look suspicious, and the challenges that make signing cost a machine something."""
