"""Link purposes: what a personal link may be used for.

A token is made for one purpose and one row. The vault refuses it for every other purpose.
"""

from enum import StrEnum


class LinkPurpose(StrEnum):
    """The purpose stands in the token's code. Where the address has the same word, it is the first part of the path."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    READER = "me"
    """A reader opens their own page: the row is a subscription."""
    SIGNER = "signer"
    """A signer opens their own page: the row is a signature."""
