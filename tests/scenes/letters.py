"""Letters for a transport, and what became of each."""

from collections import Counter
from collections.abc import Sequence

from campaign.mail.message import Message
from campaign.mail.smtp.transport import Answer, Outcome


def letter_to(recipient: str, body: bytes = b"Hello\r\n") -> Message:
    return Message(sender="petition@example.org", recipient=recipient, content=b"Subject: x\r\n\r\n" + body)


class Letters:
    """Messages, and what became of each; ``asked`` counts those that were given out."""

    def __init__(self, *messages: Message) -> None:
        self._left = list(enumerate(messages))
        self.asked = 0
        self.begun: list[int] = []
        self.answers: dict[int, Answer] = {}

    def next(self) -> tuple[int, Message] | None:
        self.asked += bool(self._left)
        return self._left.pop(0) if self._left else None

    def start(self, numbers: Sequence[int]) -> None:
        self.begun += numbers

    def hold(self, number: int, answer: Answer) -> None:
        assert number not in self.answers

    def end(self, number: int, answer: Answer) -> None:
        assert number not in self.answers
        self.answers[number] = answer

    @property
    def outcomes(self) -> Counter[Outcome]:
        return Counter(answer.outcome for answer in self.answers.values())
