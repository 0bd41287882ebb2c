"""The pages behind a personal link: a signer or reader sees, changes and erases their own data."""
