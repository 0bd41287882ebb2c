"""What all pages share: context, security, errors, caching, forms."""
