"""Plain questions that a person answers at once, in the reader's language. A seed decides which one is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from campaign.text.invisible import without_invisible
from campaign.web.core.context import reader_language

N_ = str  # marks a sentence for the translators; the page translates it

NUMBERS = (
    N_("one"), N_("two"), N_("three"), N_("four"), N_("five"), N_("six"), N_("seven"), N_("eight"), N_("nine"),
)  # fmt: skip
COLOURS = (N_("red"), N_("green"), N_("blue"), N_("yellow"), N_("white"), N_("black"))
ANIMALS = (N_("horse"), N_("dog"), N_("cat"), N_("sheep"), N_("camel"), N_("eagle"))
THINGS = (N_("table"), N_("window"), N_("bread"), N_("river"), N_("letter"), N_("house"), N_("lamp"), N_("road"))


@dataclass(frozen=True)
class Question:
    """A question and its right answers."""

    asked: str
    answers: frozenset[str]

    def is_answered_by(self, typed: str) -> bool:
        return plain(typed) in self.answers


# Many people write ё as е, and a phone without a Kazakh keyboard lacks the letters that only Kazakh has.
_AS_TYPED = str.maketrans("ёәғқңөұүһі", "еагкноуу\u0445и")


def plain(typed: str) -> str:
    """The form of an answer in which it is compared; it does not depend on the keyboard."""
    return without_invisible(typed).casefold().strip(" .,;:!?\"'«»“”„\t\r\n").translate(_AS_TYPED)


def _sum(seed: bytes) -> Question:
    _ = reader_language().gettext
    first, second = seed[1] % 9, seed[2] % 9
    answer = first + second + 2
    answers = {str(answer)}
    if answer <= len(NUMBERS):
        answers.add(plain(_(NUMBERS[answer - 1])))
    asked = _("How much is %(first)s plus %(second)s? Please write the number in digits.") % {
        "first": _(NUMBERS[first]),
        "second": _(NUMBERS[second]),
    }
    return Question(asked, frozenset(answers))


def _odd(sentence: str, right: tuple[str, ...]) -> Callable[[bytes], Question]:
    def ask(seed: bytes) -> Question:
        _ = reader_language().gettext
        chosen, first = right[seed[1] % len(right)], seed[2] % len(THINGS)
        others = [THINGS[(first + step) % len(THINGS)] for step in (0, 3)]
        others.insert(seed[3] % 3, chosen)
        asked = _(sentence) % {"words": ", ".join(_(word) for word in others)}
        return Question(asked, frozenset({plain(_(chosen))}))

    return ask


_KINDS: tuple[Callable[[bytes], Question], ...] = (
    _sum,
    _odd(N_("Which of these words is a colour: %(words)s? Please write the word."), COLOURS),
    _odd(N_("Which of these words is an animal: %(words)s? Please write the word."), ANIMALS),
)


def question_of(seed: bytes) -> Question:
    """The question that follows from ``seed``, 32 bytes."""
    return _KINDS[seed[0] % len(_KINDS)](seed)
