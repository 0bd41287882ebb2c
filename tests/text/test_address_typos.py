"""Slips in addresses: those that are asked about, and the real domains that look like one and are not."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.text.address_typos import _OTHERS, _PROVIDERS, _UNREAL_ENDS, distance, suggest

SLIPS = [
    ("gmial.com", "gmail.com"),
    ("gamil.com", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmal.com", "gmail.com"),
    ("gmaill.com", "gmail.com"),
    ("gnail.com", "gmail.com"),
    ("gmsil.com", "gmail.com"),
    ("gmail.con", "gmail.com"),
    ("gmail.cmo", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gmail.cm", "gmail.com"),
    ("gmail.comm", "gmail.com"),
    ("gmial.con", "gmail.com"),
    ("GMIAL.COM", "gmail.com"),
    ("mail.ry", "mail.ru"),
    ("mail.ri", "mail.ru"),
    ("mial.ru", "mail.ru"),
    ("maill.ru", "mail.ru"),
    ("mali.ru", "mail.ru"),
    ("list.ry", "list.ru"),
    ("lsit.ru", "list.ru"),
    ("bk.ry", "bk.ru"),
    ("inobx.ru", "inbox.ru"),
    ("inbox.ruu", "inbox.ru"),
    ("yandx.ru", "yandex.ru"),
    ("yadnex.ru", "yandex.ru"),
    ("yandex.ry", "yandex.ru"),
    ("yanex.kz", "yandex.kz"),
    ("yandez.kz", "yandex.kz"),
    ("ramber.ru", "rambler.ru"),
    ("hotmial.com", "hotmail.com"),
    ("hotmai.com", "hotmail.com"),
    ("outlok.com", "outlook.com"),
    ("outllook.com", "outlook.com"),
    ("yahooo.com", "yahoo.com"),
    ("yaho.com", "yahoo.com"),
    ("iclould.com", "icloud.com"),
    ("protn.me", "proton.me"),
    ("protonmial.com", "protonmail.com"),
    ("riseup.ner", "riseup.net"),
    ("rieseup.net", "riseup.net"),
    ("gxm.de", "gmx.de"),
    ("wbe.de", "web.de"),
    ("solidarity.con", "solidarity.com"),
    ("union.example.ogr", "union.example.org"),
]
REAL = [
    *_PROVIDERS,
    *_OTHERS,
    # Other countries' ends, and other firms' boxes.
    "yahoo.co.uk", "yahoo.de", "yahoo.fr", "hotmail.fr", "hotmail.de", "outlook.de", "outlook.kz", "live.ru", "gmx.fr",
    "yandex.by", "yandex.ua", "yandex.com.tr", "inbox.lv", "mail.ee", "mail.bg", "mail.de", "mail.by", "mail.ua",
    "email.cz", "e-mail.ru", "umail.ru", "hushmail.com", "rocketmail.com", "zoho.com", "mailbox.com", "mac.com",
    # Firms, schools and unions whose names are near.
    "vk.ru", "vk.com", "ok.ru", "aok.de", "web.com", "wer.de", "gm.com", "gmx.uk", "lis.ru", "malt.ru", "nail.ru",
    "photon.me", "protein.me", "gambler.ru", "hotel.com", "cloud.com", "snail.com", "meail.com", "liberty.it",
    "student.gmail.example", "mail.example.org", "yandex-team.ru", "university.kz", "kaznu.kz", "nu.edu.kz",
    # Tests, and the letters of other scripts.
    "example.org", "example.com", "example.net", "test.invalid", "xn--80aswg.xn--p1ai", "localhost.localdomain",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "meant"), SLIPS)
def test_a_slip_is_asked_about(typed: str, meant: str) -> None:
    assert suggest(f"Aigerim.S@{typed}") == f"Aigerim.S@{meant}"


@pytest.mark.parametrize("domain", sorted(REAL))
def test_a_real_domain_is_left_alone(domain: str) -> None:
    assert suggest(f"aigerim@{domain}") is None


def test_what_was_meant_is_never_asked_about_again() -> None:
    """Else the page would come back for ever."""
    assert {suggest(f"a@{meant}") for _, meant in SLIPS} == {None}
    assert not set(_UNREAL_ENDS) & set(_UNREAL_ENDS.values())


@given(st.text(string.ascii_lowercase + ".-", max_size=12), st.text(string.ascii_lowercase, min_size=1, max_size=5))
def test_whatever_is_suggested_is_an_end_of_the_matter(name: str, end: str) -> None:
    found = suggest(f"a@{name}.{end}")
    if found is not None:
        assert suggest(found) is None


@pytest.mark.parametrize(
    ("typed", "meant", "slips"),
    [
        ("gmail", "gmail", 0),
        ("gmial", "gmail", 1),
        ("gmal", "gmail", 1),
        ("gmaiil", "gmail", 1),
        ("gnail", "gmail", 1),
        ("gmeil", "gmail", 1),
        ("gpail", "gmail", 2),
        ("", "gmx", 3),
        ("ca", "abc", 3),
    ],
)
def test_slips_are_counted_as_hands_make_them(typed: str, meant: str, slips: int) -> None:
    assert distance(typed, meant) == slips
