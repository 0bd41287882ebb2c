"""The refusals of one run that may be about us: they are held until it is clear whom the server refuses."""

from dataclasses import dataclass

from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.protocol import Item
from campaign.mail.smtp.refusals import Refusal
from campaign.mail.smtp.transport import Answer, Mails, Outcome

# Seconds. A claim lasts an hour, and under a slow rate the next mail can be far off.
_HELD_AT_MOST = 60.0


@dataclass(frozen=True, slots=True)
class _Held:
    number: int
    item: Item
    answer: Answer
    until: float


class HeldRefusals:
    """Decides what refusals mean, by the answers that come after them.

    A refusal that is about the recipient by its own words is final at once. Any other one is held. If the server then
    accepts a mail, it was about this mail: an unclear one counts as it was said, and one about us defers the mail,
    because it must cost nobody their mail. If the refusals go on, they are about us, and the mails wait without having
    used up an attempt. If the run ends before either, an unclear “never” is no more than “later”, unless the server
    accepted other mails in this run.

    ``count``: the number of refusals that were held in this run.
    """

    def __init__(self, mails: Mails, behaviour: Behaviour) -> None:
        self._mails = mails
        self._behaviour = behaviour
        self._held: list[_Held] = []
        self._has_accepted = False
        self.count = 0

    def note_accepted(self, item: Item) -> None:
        """End the messages that were refused before ``item`` began, since the server accepts others.

        An answer to a message that had begun before the refusal shows nothing: a quota may have ended in between.
        """
        self._has_accepted = True
        if item.refusals_before == self.count:
            self._behaviour.note_accepted()
        if self._held:
            shown = [held for held in self._held if held.number <= item.refusals_before]
            self._held = self._held[len(shown) :]
            for held in shown:
                self._mails.end(held.item.number, self._decide(held, accepts_others=True))

    def take(self, item: Item, answer: Answer, now: float) -> Answer | None:
        """End or hold a refused message. Returns the answer that all held ones got, if the server refuses us."""
        refusal = item.refusal
        if refusal is Refusal.RECIPIENT:
            self._mails.end(item.number, answer)
            return None
        self._mails.hold(item.number, Answer(Outcome.DEFERRED, answer.reason))
        self.count += 1
        self._held.append(_Held(self.count, item, answer, now + _HELD_AT_MOST))
        if not self._behaviour.note_refused(refusal, item.message.recipient, answer.reason):
            return None
        blamed = refuse_us(refusal if refusal.is_ours else Refusal.EVERYBODY, answer.reason)
        for held in self._held:
            self._mails.end(held.item.number, blamed)
        self._held.clear()
        return blamed

    def end_old(self, now: float) -> None:
        """End the messages that have been held for too long."""
        if self._held and self._held[0].until <= now:
            self.finish()

    def finish(self) -> None:
        """End the held messages without knowing more, since the run is over."""
        for held in self._held:
            self._mails.end(held.item.number, self._decide(held, accepts_others=False))
        self._held.clear()

    def _decide(self, held: _Held, *, accepts_others: bool) -> Answer:
        refusal = held.item.refusal
        if refusal.is_ours and not accepts_others:
            return refuse_us(refusal, held.answer.reason)
        if refusal.is_ours or not (accepts_others or self._has_accepted):
            return Answer(Outcome.DEFERRED, held.answer.reason)
        return held.answer


def refuse_us(refusal: Refusal, reason: str) -> Answer:
    """The answer for a message that was refused because of us."""
    return Answer(Outcome.REFUSED_US, reason, refusal)
