"""Periods: every time limit and every number that is a promise to people.

The documents name these promises. A number that only tunes the program, as the size of a batch, stays where it is used.
"""

from datetime import timedelta
from typing import Final


def seconds(period: timedelta) -> int:
    """The whole seconds of ``period``, for cookies, caches and signed values."""
    return int(period.total_seconds())


# Signing and confirming.
CONFIRM_WITHIN: Final = timedelta(hours=72)
"""A confirmation link works for so long after its mail was sent; then what the signer typed is erased."""
UNSENT_KEPT: Final = timedelta(days=30)
"""What a signer typed is kept for so long if the mail cannot be sent."""
MAIL_AGAIN_AFTER: Final = timedelta(minutes=10)
"""A form that is sent again within this time asks for no further mail."""
ALLOWANCE_KEPT: Final = timedelta(days=30)
"""The count of confirmation mails of an address is kept for so long after the last one."""
CONFIRMATION_WAITS: Final = (MAIL_AGAIN_AFTER, timedelta(hours=24), ALLOWANCE_KEPT)
"""So long after its first, second and third confirmation mail an address gets the next one, until it answers."""
LINK_WAITS: Final = (MAIL_AGAIN_AFTER, timedelta(hours=24))
"""So long after its first and each later mail with a lost link an address gets the next one, for each petition."""
WRONG_CODES: Final = 10
"""After so many wrong codes the code of a mail no longer works."""
TYPED_ADDRESS_KEPT: Final = timedelta(hours=1)
"""The browser keeps the address that was typed into the form for so long, sealed."""
LINK_REQUESTS_KEPT: Final = timedelta(days=30)
"""That a lost link was asked for is kept for so long."""
FORM_LASTS: Final = timedelta(days=7)
"""A signing form that was loaded earlier than this is shown once more."""

# What everybody sees.
SMALLEST_PLACE: Final = 10
"""A country with fewer signatures is not named: k-anonymity with this k."""
COUNTRIES_COUNTED_EVERY: Final = timedelta(hours=1)
"""So seldom that nobody learns when a person from a small place signed."""
PAGE_CACHED: Final = timedelta(seconds=10)
"""A cache may show a public page for so long after it changed."""

# Mail.
FIRST_RETRY: Final = timedelta(minutes=5)
LONGEST_RETRY: Final = timedelta(hours=6)
"""The pause before the next try doubles from the first of these to the second."""
GIVE_UP_AFTER: Final = timedelta(hours=72)
"""A mail is rejected when the recipient's server has said “later” for so long (RFC 5321 §4.5.4.1)."""
CLAIM_LASTS: Final = timedelta(hours=1)
"""The claims of a sender that is gone are settled after this time."""
WORKER_DEAD_AFTER: Final = timedelta(minutes=2)
"""A worker without a heartbeat for so long is dead, and others take over its jobs."""
HEARTBEAT_WITHIN: Final = timedelta(minutes=3)
"""``campaign doctor`` reports a worker whose heartbeat is older."""
MAIL_LATE_AFTER: Final = timedelta(minutes=10)
"""``campaign doctor`` reports mails that have been due for longer."""
FINISHED_JOBS_KEPT: Final = timedelta(days=7)
"""The workflow engine's records of finished jobs are kept for so long."""
COMPLAINTS_WARN_AT: Final = 0.001
COMPLAINTS_PAUSE_AT: Final = 0.003
"""Complaints by accepted mails of an edition. Large receivers refuse a sender's mail above the second number."""

# Privacy: how long personal data is kept.
UPDATES_KEPT: Final = timedelta(days=30)
"""Addresses of readers, from the day on which the petition closes."""
NAMES_KEPT: Final = timedelta(days=30)
"""Names of signers, from the day on which the list is handed over …"""
NAMES_KEPT_MONTHS: Final = 18
"""… and at most so many months from the day of signing."""
AUDIT_KEPT: Final = timedelta(days=90)
REVIEW_ADDRESSES_KEPT: Final = timedelta(days=30)
"""The address of a signature that waits for a review, from the day of signing."""
REVIEW_REASONS_KEPT: Final = timedelta(days=30)
"""Why a signature looked suspicious, from the review."""
MAIL_TIMES_KEPT: Final = timedelta(days=3)
"""The times of day of mails to signers: as long as a mail may come back and be looked for."""

# Organizers.
INVITATION_LASTS: Final = timedelta(days=3)
FREE_FAILURES: Final = 5
"""So many failed sign-ins in a row cost no waiting …"""
LONGEST_SIGN_IN_WAIT: Final = timedelta(minutes=15)
"""… and each one after them doubles the wait, up to this."""
HALF_SIGN_IN_LASTS: Final = timedelta(minutes=10)
"""The second step of a sign-in has to follow the first within this time."""
SESSION_LASTS: Final = timedelta(hours=12)
SESSION_IDLE: Final = timedelta(minutes=60)
"""A session ends after the first of these, or after the second without a request."""
PROOF_LASTS: Final = timedelta(minutes=10)
"""A dangerous act asks for the password again if the last proof is older."""
KEPT_FORM_LASTS: Final = timedelta(hours=1)
"""A form that waits for such a proof is kept for so long."""
DEVICE_COOKIE_LASTS: Final = timedelta(days=180)
"""A browser in which an organizer signed in is known for so long."""
PASSKEY_ANSWERED_WITHIN: Final = timedelta(minutes=5)
RECOVERY_CODES: Final = 10
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200
"""Characters. A letter becomes at most eighteen in the Unicode form that is kept, of which passlib takes 4,096."""
EXPORT_ANSWERED_WITHIN: Final = timedelta(days=7)
"""A second organizer answers a request for a list within this time …"""
EXPORT_TAKEN_WITHIN: Final = timedelta(hours=24)
"""… and the first one takes the list within this time after that."""
EXPORT_REQUESTS_KEPT: Final = AUDIT_KEPT

# Abuse.
CHALLENGE_LASTS: Final = timedelta(hours=1)
CHALLENGE_TRIES: Final = 3
"""A challenge is solved within the first, with at most so many answers."""
SHORTEST_COMPARED_COMMENT: Final = 20
"""Comments with fewer letters are not compared: many people honestly write “Solidarity!”."""
SAME_COMMENTS: Final = 5
"""So many equal comments in a day look suspicious."""
TOTAL_LIMIT_STOP_FACTOR: Final = 5
LET_IN_AFTER_STOP: Final = 2
"""Beyond the first times ``CAMPAIGN_TOTAL_LIMIT``, a network may send so many forms in an hour."""
BURST_FLOOR: Final = 100
BURST_FACTOR: Final = 10
"""A burst is so many forms in a minute, and so many times the usual number."""
