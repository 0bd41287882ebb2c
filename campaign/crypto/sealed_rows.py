"""Row identities: the associated data that ties a sealed value to its row.

A sealed value that was moved to another row does not open there. The texts below are part of every value that was
sealed so far: with another text for the same row, the values of existing installations would not open any more.
"""


def person_row(signature_id: int) -> str:
    """A signer's name, place and comment. Files for organizers carry this text too."""
    return f"signature:{signature_id}"


def address_row(owner_id: int) -> str:
    """The address of a signature that waits for its confirmation, or of a subscription.

    Both have random ids of 63 bits, so a signature and a subscription are not taken for each other.
    """
    return f"address:{owner_id}"


def link_request_row(petition_id: int, fingerprint: bytes) -> str:
    """The address to which a lost link is sent; ``fingerprint`` is that address's."""
    return f"link:{petition_id}:{fingerprint.hex()}"


def typed_row(petition_id: int) -> str:
    """The address that was typed into the form of a petition, in the cookie of the browser."""
    return f"typed:{petition_id}"


def app_row(organizer_id: int) -> str:
    """The secret of an organizer's authenticator app."""
    return f"organizer:{organizer_id}"
