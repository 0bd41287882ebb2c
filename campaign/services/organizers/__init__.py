"""Organizers: members and their permissions, their accounts, signing in, second factors and passkeys."""
