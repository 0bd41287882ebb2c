"""DKIM: what we sign, a receiver finds good; what was changed on the way, it does not."""

import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import DkimKeyError
from campaign.installation.wiring import wire
from campaign.mail.dkim import BodyHash, DkimKey, DkimSigner, body_hash, dns_record, new_key, read_keys, write_key
from campaign.mail.message import Content, build_message
from tests.conftest import settings_for
from tests.scenes.dkim_receiver import check

DOMAIN = "petition.example.org"
RSA_PEM, ED_PEM = new_key("rsa"), new_key("ed25519")
RSA, ED = DkimKey.from_pem(RSA_PEM, "rsa2026"), DkimKey.from_pem(ED_PEM, "ed2026.a")
DNS = {record.name: record.value for record in (RSA.record(DOMAIN), ED.record(DOMAIN))}
BOTH = DkimSigner([ED, RSA], DOMAIN)
AT = 1_764_043_200
LIST_HEADERS = {
    "List-Id": "<kazakhstan.petition.example.org>",
    "List-Unsubscribe": f"<https://petition.example.org/unsubscribe/{'a1B2_' * 60}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Help": "<https://petition.example.org/ru/p/kazakhstan>",
}


def write(subject: str = "Новости петиции и ещё слова, чтобы заголовок не уместился в одну строку") -> bytes:
    return build_message(
        Content(subject, "Здравствуйте!\n", "<p>Здравствуйте!</p>\n"),
        sender_name="Кампания за свободу всех, кого держат под стражей несправедливо",
        sender=f"news@{DOMAIN}",
        recipient="aigul@example.com",
        message_id=f"abc123@{DOMAIN}",
        date=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
        language="ru",
        list_headers=LIST_HEADERS,
    ).content


def sign(message: bytes, signer: DkimSigner = BOTH) -> bytes:
    headers, _, body = message.partition(b"\r\n\r\n")
    return signer.sign(headers + b"\r\n", body_hash(body), at=AT) + message


def signature_fields(message: bytes) -> list[dict[str, str]]:
    """The tags of each DKIM-Signature, white space taken out."""
    unfolded = re.sub(rb"\r\n[ \t]", b" ", message.partition(b"\r\n\r\n")[0]).decode()
    values = [line.partition(":")[2] for line in unfolded.split("\r\n") if line.startswith("DKIM-Signature:")]
    return [dict(tag.replace(" ", "").split("=", 1) for tag in value.split(";")) for value in values]


# RFC 8463 A.3, the Ed25519 signature; its key is in A.2.
RFC_8463 = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
RFC_8463_DNS = {
    "brisbane._domainkey.football.example.com": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
}


def test_the_receiver_of_these_tests_finds_the_example_of_the_rfc_good_and_a_changed_one_bad() -> None:
    assert check(RFC_8463, RFC_8463_DNS) == [True]
    assert check(RFC_8463.replace(b"dinner", b"supper"), RFC_8463_DNS) == [False]
    assert check(RFC_8463, DNS) == [False]


@pytest.mark.parametrize(("keys", "count"), [([RSA], 1), ([ED], 1), ([RSA, ED], 2), ([ED, RSA], 2)])
def test_each_signature_of_a_mail_is_good(keys: list[DkimKey], count: int) -> None:
    signed = sign(write(), DkimSigner(keys, DOMAIN))
    assert check(signed, DNS) == [True] * count
    assert signed.endswith(write())


def test_rsa_comes_first_and_the_tags_are_what_receivers_ask_for() -> None:
    first, second = signature_fields(sign(write()))
    assert (first["a"], first["s"]) == ("rsa-sha256", "rsa2026")
    assert (second["a"], second["s"]) == ("ed25519-sha256", "ed2026.a")
    for tags in (first, second):
        assert list(tags) == ["v", "a", "c", "d", "s", "h", "t", "bh", "b"]
        assert (tags["v"], tags["c"], tags["d"], tags["t"]) == ("1", "relaxed/simple", DOMAIN, str(AT))
        names = tags["h"].split(":")
        assert names.count("from") == 2
        assert set(names) == {
            *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-language"),
            *("auto-submitted", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
        }
        assert len(names) == 13


def test_a_header_that_a_mail_does_not_have_is_not_named() -> None:
    signed = sign(b"From: a@petition.example.org\r\nReceived: from here\r\n\r\nx\r\n")
    assert signature_fields(signed)[0]["h"] == "from:from"
    assert check(signed, DNS) == [True, True]


def test_the_fields_are_folded_to_short_lines() -> None:
    domain = f"{'a' * 60}.{'b' * 60}.example.org"
    fields = sign(write(), DkimSigner([RSA, ED], domain)).removesuffix(write())
    assert fields.endswith(b"\r\n")
    lines = fields.removesuffix(b"\r\n").split(b"\r\n")
    assert [line for line in lines if len(line) > 78 and b" d=" not in line] == []
    assert [line for line in lines if not line.startswith((b" ", b"DKIM-Signature: "))] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda mail: mail.replace(b"<news@petition", b"<other@petition"),
        lambda mail: mail.replace(b"To: aigul", b"To: aigel"),
        lambda mail: mail.replace(b"Subject: ", b"Subject: Re: "),
        lambda mail: mail.replace(b"Mon, 23 Nov", b"Tue, 24 Nov"),
        lambda mail: mail.replace(b"<abc123@", b"<abc124@"),
        lambda mail: mail.replace(b"unsubscribe/a1B2", b"unsubscribe/a1B3"),
        lambda mail: mail.replace(b"One-Click", b"Two-Click"),
        lambda mail: mail.replace(b"List-Id: <", b"List-Id: <x."),
        lambda mail: mail.replace(b"multipart/alternative", b"multipart/mixed"),
        lambda mail: mail.replace(b"\r\n\r\n--", b"\r\n\r\n\r\n--", 1),
        lambda mail: mail.replace(b"text/plain", b"text/html"),
        lambda mail: mail + b"x\r\n",
        lambda mail: mail.replace(b"t=1764043200", b"t=1764043201"),
        lambda mail: mail.replace(b"d=petition.", b"d=Petition."),
        lambda mail: b"From: x@example.org\r\n" + mail,
        lambda mail: mail.replace(b"\r\nTo:", b"\r\nFrom: x@example.org\r\nTo:"),
    ],
)
def test_a_mail_that_was_changed_on_the_way_is_not_good(change: Callable[[bytes], bytes]) -> None:
    signed = sign(write())
    changed = change(signed)
    assert changed != signed
    assert check(changed, DNS) == [False, False]


@pytest.mark.parametrize(
    "change",
    [
        lambda mail: b"Received: from relay.example.org\r\n" + mail,
        lambda mail: mail.replace(b"\r\nTo: ", b"\r\nTO:   \r\n\t"),
        lambda mail: mail.replace(b"List-Help: ", b"List-Help: x"),
        lambda mail: mail + b"\r\n\r\n",
    ],
)
def test_what_relays_do_to_a_mail_leaves_it_good(change: Callable[[bytes], bytes]) -> None:
    signed = sign(write())
    changed = change(signed)
    assert changed != signed
    assert check(changed, DNS) == [True, True]


def test_the_key_of_another_is_not_good() -> None:
    strangers = [DkimKey.from_pem(new_key("rsa"), RSA.selector), DkimKey.from_pem(new_key("ed25519"), ED.selector)]
    assert check(sign(write(), DkimSigner(strangers, DOMAIN)), DNS) == [False, False]


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"x", b"x\r\n", b"x\r\n\r\n\r\n\r\n", b"\r\n\r\nx \r\n \r\n", b"x\r\r\n"]
)
def test_a_body_is_signed_however_it_ends(body: bytes) -> None:
    signed = sign(b"From: a@petition.example.org\r\nSubject: x\r\n\r\n" + body)
    assert check(signed, DNS) == [True, True]


def test_an_empty_body_has_the_hash_that_the_rfc_says() -> None:
    """RFC 6376 §3.4.3."""
    assert body_hash(b"").hex() == body_hash(b"\r\n").hex()
    assert signature_fields(sign(b"From: a@b\r\n\r\n"))[0]["bh"] == "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="


pieces = st.lists(st.sampled_from([b"a", b"\r\n", b"\r\n\r\n", b"\r", b" ", b".", b"\xd0\xaf"]), max_size=12).map(
    b"".join
)


@given(pieces, pieces, pieces)
def test_a_hash_continued_from_the_beginning_is_that_of_the_whole(start: bytes, one: bytes, two: bytes) -> None:
    continued = BodyHash(start)
    assert continued.digest(one) == body_hash(start + one)
    assert continued.digest(two) == body_hash(start + two)
    assert continued.digest(one) == continued.digest(one + b"\r\n" * one.endswith(b"\r\n"))


@given(pieces.filter(lambda body: b"\r" not in body.replace(b"\r\n", b"")))
def test_any_body_is_signed_as_a_receiver_reads_it(body: bytes) -> None:
    assert check(sign(b"From: a@b\r\n\r\n" + body, DkimSigner([ED], DOMAIN)), DNS) == [True]


words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
white_space = st.sampled_from([" ", "  ", "\t", "\r\n ", "\r\n\t", " \r\n \t", "\t\t "])
values = st.lists(st.tuples(white_space, words), max_size=6).map(lambda parts: "".join(map("".join, parts)))


@given(values, values, white_space)
def test_any_header_value_is_signed_as_a_receiver_reads_it(one: str, two: str, end: str) -> None:
    headers = f"From: a@b\r\nSubject:{one}{end.strip(chr(13) + chr(10))}\r\nTO:{two}\r\nto: third\r\n"
    assert check(sign(headers.encode() + b"\r\nx\r\n", DkimSigner([ED], DOMAIN)), DNS) == [True]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200))
def test_a_mail_with_any_subject_is_good_in_both_signatures(subject: str) -> None:
    assert check(sign(write(subject)), DNS) == [True, True]


def test_the_same_mail_at_the_same_time_has_the_same_signatures() -> None:
    """PKCS #1 v1.5 and Ed25519 use no randomness (RFC 8017 §8.2, RFC 8032): a retried mail stays the same bytes."""
    again = DkimSigner([RSA, ED], DOMAIN)
    assert sign(write()) == sign(write(), again) == sign(write(), again)


@pytest.mark.parametrize(("pem", "kind"), [(RSA_PEM, "rsa"), (ED_PEM, "ed25519")])
def test_a_record_is_what_a_zone_file_can_hold(pem: bytes, kind: str) -> None:
    record = dns_record(pem, "s1", DOMAIN)
    assert record.name == f"s1._domainkey.{DOMAIN}"
    assert record.value.startswith(f"v=DKIM1; k={kind}; p=")
    assert "".join(record.strings) == record.value
    assert max(map(len, record.strings)) <= 255
    name, ttl, kept_class, kept_type, text = record.zone_line.split(" ", 4)
    (answer,) = dns.rrset.from_text(name, int(ttl), kept_class, kept_type, text)
    assert [each.decode() for each in answer.strings] == record.strings


def pem_of(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, lock: KeySerializationEncryption | None = None
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        (pem_of(rsa.generate_private_key(65537, 1024)), "only 1024 bits"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (pem_of(rsa.generate_private_key(65537, 2048), BestAvailableEncryption(b"x")), "without a password"),
        (b"", "not a private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a private key"),
    ],
)
def test_a_key_that_no_receiver_would_take_is_refused(tmp_path: Path, pem: bytes, says: str) -> None:
    write_key(tmp_path, "s1", pem)
    with pytest.raises(DkimKeyError, match=f"s1 .*{says}.*campaign dkim new"):
        read_keys(tmp_path, ["s1"])


def test_a_key_is_kept_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "dkim"
    path = write_key(folder, "s1", ED_PEM)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, folder, folder.parent)] == [0o600, 0o700, 0o700]
    with pytest.raises(DkimKeyError, match="never overwritten"):
        write_key(folder, "s1", RSA_PEM)
    assert path.read_bytes() == ED_PEM


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = write_key(tmp_path, "s1", ED_PEM)
    path.chmod(mode)
    with pytest.raises(DkimKeyError, match=f"chmod 600 {path}"):
        read_keys(tmp_path, ["s1"])


def test_a_key_that_is_missing_or_cannot_be_kept_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DkimKeyError, match="campaign dkim new s1"):
        read_keys(tmp_path, ["s1"])
    (tmp_path / "s1.pem").mkdir(0o700)
    with pytest.raises(DkimKeyError, match="cannot be read"):
        read_keys(tmp_path, ["s1"])
    (tmp_path / "file").touch()
    with pytest.raises(DkimKeyError, match="cannot be written"):
        write_key(tmp_path / "file" / "dkim", "s1", ED_PEM)


@pytest.mark.parametrize("selector", ["", ".", "..", "../s1", "a/b", "-a", "a-", "a..b", "a b", "ключ", "a\n"])
def test_a_name_that_is_no_selector_is_refused(tmp_path: Path, selector: str) -> None:
    with pytest.raises(DkimKeyError, match="cannot be a selector"):
        write_key(tmp_path / "dkim", selector, ED_PEM)
    with pytest.raises(DkimKeyError, match="cannot be a selector"):
        read_keys(tmp_path, [selector])
    assert list(tmp_path.iterdir()) == []


def test_an_installation_signs_with_the_keys_that_its_settings_name(tmp_path: Path) -> None:
    write_key(tmp_path / "var" / "dkim", RSA.selector, RSA_PEM)
    write_key(tmp_path / "var" / "dkim", ED.selector, ED_PEM)
    selectors = f"{ED.selector}, {RSA.selector},{ED.selector}"
    signer = wire(settings_for(tmp_path, dkim_selectors=selectors, mail_from=f"news@{DOMAIN}")).dkim
    assert signer
    assert sign(write(), signer) == sign(write())
    assert wire(settings_for(tmp_path)).dkim is None
    with pytest.raises(DkimKeyError, match="no DKIM key"):
        _ = wire(settings_for(tmp_path, dkim_selectors="other")).dkim
