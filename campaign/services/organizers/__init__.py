"""Organizers: members and their permissions, second factors, passkeys, and slowed sign-ins."""
