"""What one server was seen to do. It is learned from its answers, and holds for all connections of this process."""

from campaign.mail.smtp.refusals import Refusal

# Refusals in a row, of so many recipients with nothing accepted in between, that are no accident of the recipients. Of
# those that say that they are about us, two are enough if they are for two domains: somebody who signs can choose what
# the server of one domain says.
_IN_A_ROW = 5
# The share of refused recipients counts about the last so many, and above this share DATA waits for the recipient.
_COUNTED = 20
_OFTEN = 0.1


class Behaviour:
    """The habits of one server.

    ``takes_envelope_with_dot``: whether it answers an envelope that comes in one write with the final dot of the mail
    before (RFC 2920 allows it); None until it was seen. Haraka answers 503 to it, Courier nothing at all.
    ``mails_per_connection``: so many mails it takes on one connection; None if no limit is known. ``is_refusing_us``:
    its last answers refused us, so it is asked with one mail at a time until it accepts one.
    """

    def __init__(self) -> None:
        self.takes_envelope_with_dot: bool | None = None
        self.mails_per_connection: int | None = None
        self.is_refusing_us = False
        self._refused_share = 0.0
        # The last refused recipients, and the reason of the unclear refusals, which were all equal.
        self._ours: dict[str, None] = {}
        self._unclear: dict[str, None] = {}
        self._reason = ""

    @property
    def refuses_often(self) -> bool:
        """Whether so many recipients are refused that DATA had better wait for the answer to RCPT.

        A DATA behind a refused RCPT is a second error, and Postfix hangs up after twenty.
        """
        return self._refused_share > _OFTEN

    def note_recipient(self, *, refused: bool) -> None:
        """Count the answer to a RCPT."""
        self._refused_share += (refused - self._refused_share) / _COUNTED

    def note_silence_behind_dot(self) -> None:
        """Remember that nothing answered an envelope that was sent with a final dot, as with Courier.

        If it was answered before, another server may have taken the place of that one.
        """
        self.takes_envelope_with_dot = None if self.takes_envelope_with_dot else False

    def note_limit(self, mails: int) -> None:
        """Remember that the server takes so many mails on a connection (announced by RFC 9422, or seen)."""
        if mails > 0 and (self.mails_per_connection is None or mails < self.mails_per_connection):
            self.mails_per_connection = mails

    def note_accepted(self) -> None:
        """Remember that the server has accepted a mail: whatever it refused before, it does not refuse us."""
        if self._ours or self._unclear or self.is_refusing_us:
            self._ours.clear()
            self._unclear.clear()
            self.is_refusing_us = False

    def note_refused(self, refusal: Refusal, recipient: str, reason: str) -> bool:
        """Count a refusal that is about us, or unclear. Returns whether the server refuses us by now."""
        refused = self._ours if refusal.is_ours else self._unclear
        if not refusal.is_ours and reason != self._reason:
            refused.clear()
            self._reason = reason
        refused.pop(recipient, None)  # the same mail again shows nothing new
        refused[recipient] = None
        if len(refused) > _IN_A_ROW:
            del refused[next(iter(refused))]
        are_many = len(refused) == _IN_A_ROW
        are_of_domains = len({each.rpartition("@")[2].lower() for each in refused}) > 1
        if (are_many or are_of_domains) if refusal.is_ours else (are_many and are_of_domains):
            self.is_refusing_us = True
        return self.is_refusing_us
