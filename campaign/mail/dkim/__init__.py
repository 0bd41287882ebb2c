"""DKIM signatures of our own: keys with their DNS records, and one signature by each key (RFC 6376, RFC 8463)."""

from campaign.mail.dkim.keys import DkimKey, DnsRecord, dns_record, new_key, read_keys, write_key
from campaign.mail.dkim.signer import BodyHash, DkimSigner, body_hash

__all__ = [
    "BodyHash",
    "DkimKey",
    "DkimSigner",
    "DnsRecord",
    "body_hash",
    "dns_record",
    "new_key",
    "read_keys",
    "write_key",
]
