"""Operations: backup, restore, key rotation, the server lock, and the database schema."""
