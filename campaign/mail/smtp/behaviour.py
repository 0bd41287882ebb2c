"""What one server was seen to do. It is learned from its answers, and holds for all connections of this process."""

from campaign.mail.smtp.refusals import Refusal

# So many refusals about us in a row, with nothing accepted in between, are the server's. One alone can be about a mail.
_OURS_IN_A_ROW = 2
# So many equal answers in a row, over several domains, are no accident of the recipients.
_SAME_IN_A_ROW = 5
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
        self._ours = 0
        self._same: list[tuple[str, str]] = []

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
        if self._ours or self._same or self.is_refusing_us:
            self._ours, self._same, self.is_refusing_us = 0, [], False

    def note_refused(self, refusal: Refusal, domain: str, reason: str) -> bool:
        """Count a refusal that is about us, or unclear. Returns whether the server refuses us by now."""
        if refusal.is_ours:
            self._ours += 1
        else:
            # The last answers, as long as they are equal.
            equal = [each for each in self._same if each[1] == reason]
            self._same = [*equal[1 - _SAME_IN_A_ROW :], (domain, reason)]
        is_same = len(self._same) == _SAME_IN_A_ROW and len({domain for domain, _ in self._same}) > 1
        if self._ours >= _OURS_IN_A_ROW or is_same:
            self.is_refusing_us = True
        return self.is_refusing_us
