"""One-time passwords: the codes of RFC 6238, and a link that authenticator apps read."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from campaign.crypto.totp import STEP, app_link, code_at, find_step, new_secret, spell_secret

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("second", "code"),
    [
        # RFC 6238, appendix B, of which apps show the last six digits.
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert code_at(SECRET, second // STEP) == code


def test_a_code_is_found_one_step_early_and_late_and_only_once() -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    step = int(now.timestamp()) // STEP
    for away in range(-3, 4):
        typed = code_at(SECRET, step + away)
        assert find_step(SECRET, typed, now=now, after=None) == (step + away if abs(away) <= 1 else None)
        assert find_step(SECRET, f" {typed[:3]} {typed[3:]} ", now=now, after=step + away) is None
    code = code_at(SECRET, step)
    for offset in (0xFF10, 0x0660):  # digits of full width, and Arabic-Indic ones
        typed = "".join(chr(offset + int(digit)) for digit in code)
        assert find_step(SECRET, f"\u200e{typed[:3]}\u00a0{typed[3:]}.", now=now, after=None) == step
    assert find_step(SECRET, code_at(SECRET, step), now=now + timedelta(seconds=STEP), after=step - 1) == step
    for typed in ("", "12345", "１２３４５６", "\udc80" * 6, "x" * 10_000):
        assert find_step(SECRET, typed, now=now, after=None) is None


@pytest.mark.parametrize(
    ("account", "server"),
    [
        ("dana@example.org", "127.0.0.1"),
        ("anna+b@xn--bcher-kva.example", "petition.example.org"),
        ("o'neil@example.org", "[::1]"),
    ],
)
def test_the_link_says_in_every_place_what_apps_look_for(account: str, server: str) -> None:
    """The Key URI Format: some apps take the issuer from the label, others from the parameter."""
    secret = new_secret()
    link = app_link(secret, account=account, server=server)
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == f"/{server}:{account}"
    # Some apps show a plus as it stands where a form would mean a blank.
    assert "+" not in link
    assert dict(parse_qsl(parts.query, strict_parsing=True)) == {
        "secret": base64.b32encode(secret).decode(),  # noqa: TID251 (as an app reads it)
        "issuer": server,
        "algorithm": "SHA1",
        "digits": "6",
        "period": "30",
    }
    assert spell_secret(secret).replace(" ", "") in link
