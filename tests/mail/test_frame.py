"""Frames: what is filled in by bytes reads as the words with everything in place, in either encoding."""

import hashlib
from email import message_from_bytes
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from campaign.mail.frame import Frame, Gap

TOKEN = Gap("@@url@@", "token", 32, "https://petition.example.org/unsubscribe/")
CODE = Gap("@@code@@", "code", 6)
TO = Gap("@@to@@", "to")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TOKENS = st.text(ALPHABET, min_size=32, max_size=32)
CODES = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=6, max_size=6)
LETTERS = st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n")
# Words of either kind, so that each transfer encoding is taken, with marks anywhere.
WORDS = st.lists(
    st.one_of(
        st.text(LETTERS, max_size=80),
        st.text("абвғқ \n.", max_size=80),
        st.text("abc =.\n", max_size=80),
        st.just("@@url@@"),
        st.just("@@code@@"),
    ),
    max_size=12,
).map("".join)


def parts(head: bytes, body: list[bytes]) -> list[str]:
    message = message_from_bytes(b"".join([head, b"\r\n", *body]), policy=default)
    contents = [item.get_payload(decode=True) for item in message.walk() if not item.is_multipart()]
    return [content.decode().replace("\r\n", "\n") for content in contents if isinstance(content, bytes)]


def fill_by_hand(text: str, token: str, code: str) -> str:
    return text.replace("@@url@@", TOKEN.before + token).replace("@@code@@", code)


@given(text=WORDS, html=WORDS, token=TOKENS, code=CODES)
def test_a_filled_frame_reads_as_the_words_with_everything_in_place(
    text: str, html: str, token: str, code: str
) -> None:
    frame = Frame([("To", "@@to@@"), ("List-Unsubscribe", "<@@url@@>")], text, html, [TO, TOKEN, CODE])
    for to in (b"a@example.org", b"somebody.else@example.org"):
        head, body = frame.fill({"to": to, "token": token.encode(), "code": code.encode()})
        assert parts(head, body) == [fill_by_hand(text, token, code), fill_by_hand(html, token, code)]
        assert b"To: " + to + b"\r\n" in head
        assert f"List-Unsubscribe: <{TOKEN.before}{token}>\r\n".encode() in head


@given(text=WORDS, token=TOKENS, code=CODES)
def test_a_filled_body_is_ready_for_the_wire(text: str, token: str, code: str) -> None:
    frame = Frame([("To", "@@to@@")], text, text, [TO, TOKEN, CODE])
    _, pieces = frame.fill({"to": b"a@example.org", "token": token.encode(), "code": code.encode()})
    body = b"".join(pieces)
    assert body.endswith(b"--\r\n")
    assert body.isascii()
    lines = body.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 76
    assert not any(line.startswith(b".") for line in lines)


@given(text=WORDS, token=TOKENS, code=CODES)
def test_the_hash_of_a_body_that_goes_on_from_its_beginning_is_the_hash_of_all_of_it(
    text: str, token: str, code: str
) -> None:
    frame = Frame([], text, text, [TOKEN, CODE])
    _, body = frame.fill({"token": token.encode(), "code": code.encode()})
    assert frame.hash_body(body) == hashlib.sha256(b"".join(body)).digest()


def test_words_that_look_like_a_gap_are_left_as_they_are() -> None:
    """Even those that a frame would have put there itself."""
    looks_like = " ".join(f"{digits}{'Zq' * 15}Z" for digits in ("000", "100", "200"))
    frame = Frame([], f"{looks_like} @@url@@", "x", [TOKEN])
    head, body = frame.fill({"token": b"A" * 32})
    assert parts(head, body)[0] == f"{looks_like} {TOKEN.before}{'A' * 32}"


def test_the_same_values_give_the_same_bytes() -> None:
    values = {"token": b"B" * 32, "code": b"123456"}
    made = [Frame([], "Қош @@url@@", "<p>@@code@@</p>", [TOKEN, CODE]).fill(values) for _ in range(2)]
    assert made[0] == made[1]


def test_a_long_gap_is_not_taken_for_a_short_one() -> None:
    """Whatever stands for a long gap must not hold what stands for one that is shorter."""
    gaps = [TOKEN, CODE, Gap("@@own@@", "own", 32)]
    head, body = Frame([("Subject", "x")], "@@own@@ @@code@@ @@url@@", "", gaps).fill(
        {"token": b"t" * 32, "code": b"CCCCCC", "own": b"o" * 32}
    )
    assert parts(head, body)[0].split() == ["o" * 32, "CCCCCC", TOKEN.before + "t" * 32]
