"""What somebody who means harm types, sends and uploads: strategies of hypothesis."""

from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

# Never markup, an attribute or a link in any answer, whatever was sent.
CANARY = "canary-tag"

_KNOWN = [
    # line ends and what else forges headers, rows and names of files
    "a\r\nBcc: canary-tag@example.net\r\n\r\nbody",
    "a\nX-Injected: canary-tag",
    "a%0d%0aX-Injected:%20canary-tag",
    "a\x00b",
    "\x00",
    "\x1b]0;canary-tag\x07\x1b[2J",
    "\x85a\u2028b\u2029c\x0bd\x0ce",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "C:\\..\\..\\windows\\win.ini",
    # Unicode
    "\ud800",
    "a\udfffb",
    "\udcff",
    "\u202egpj.exe\u202c",
    "\u2066a\u2069\u200f\u061c",
    "a\u200bb\u2060c\ufeff",
    "Z\u0351\u036b\u0343\u036a\u0302\u034d\u0362\u0328\u0321\u0334\u0489a" * 5,
    "a" + "\u0301" * 300,
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦🏴‍☠️",
    "Аіgеrіm",  # Cyrillic letters that look Latin
    "ｆｕｌｌｗｉｄｔｈ",
    "\ufdfa" * 30,  # one letter that becomes eighteen
    "ﬀ\u0130ıßŉ",
    "\ufffd\ufffe\uffff\U0010ffff",
    "\U000e0001\U000e0041",
    # spreadsheets
    '=HYPERLINK("http://canary-tag.example",1)',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "＝1+1",
    # templates, formats, shells, databases
    "{{7*7}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "{count}{goal.__class__}{0.__class__}{}{{",
    "@@unsubscribe@@",
    "%s%n%(name)s%",
    "$(id)`id`;id|id",
    "' OR '1'='1' --",
    '"; DROP TABLE signature; --',
    # markup
    "<script>canary()</script>",
    "<canary-tag>",
    '"><canary-tag onload=canary()>',
    "' onfocus='canary()' autofocus x='",
    "</textarea><canary-tag>",
    "</title></option></select><canary-tag>",
    "<img src=x onerror=canary()>",
    "<svg/onload=canary()>",
    '<a href="javascript:canary()">canary</a>',
    "[canary](javascript:canary())",
    "<!--",
    "]]><canary-tag><![CDATA[",
    "&lt;canary-tag&gt;&#60;canary-tag&#62;",
    # links and redirects
    "javascript:canary()",
    "data:text/html,<canary-tag>",
    "//canary-tag.example/",
    "/\\canary-tag.example/",
    "https://canary-tag.example/",
    "/organize/../..//canary-tag.example",
    "/organize/@canary-tag.example",
    "/organize/\r\nLocation: //canary-tag.example",
    # numbers and shapes
    "9" * 20,
    "9" * 5000,
    "-1",
    "0x10",
    "1e309",
    "NaN",
    "٣",
    "²",
    "2147483648",
    "9223372036854775808",
    "true",
    "null",
    "[]",
    "",
    " ",
    "\u3000\u00a0",
    # addresses
    "a@b",
    "@",
    "a@example.org, b@example.org",
    "a@example.org\r\nRCPT TO:<b@example.org>",
    '"a b"@example.org',
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    "a@xn--a.example",
    "a@" + "b" * 300 + ".org",
    "a" * 300 + "@example.org",
    "аdmin@exаmple.org",
    "a@example.org\x00",
    "user%40example.org@example.net",
    "<a@example.org>",
    # long
    "x" * 3000,
    "🙂" * 1500,
    "<" * 2000,
    "a b " * 700,
]

_RAW = st.characters()  # every code point, lone surrogates too
_ODD = st.sampled_from("\x00\r\n\t\x1b\x85\u200b\u202e\u2028\ufeff\ud800\udfff<>\"'&{}%$=+-@\\/;:,()[]|`~^#?*._ aЯ字🙂")

text = st.one_of(
    st.sampled_from(_KNOWN),
    st.text(_ODD, max_size=12),
    st.text(_RAW, max_size=30),
    st.builds("{}{}".format, st.sampled_from(_KNOWN), st.sampled_from(_KNOWN)),
)
"""Text, without a promise."""

short = st.one_of(st.sampled_from([one for one in _KNOWN if len(one) < 100]), st.text(_ODD, max_size=8))
bad_utf8 = st.sampled_from(
    [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x28\xa1", b"%", b"%zz", b"+%00"]
)
octets = st.one_of(st.binary(max_size=60), bad_utf8, text.map(lambda one: one.encode("utf-8", "surrogatepass")))
"""Bytes that may be no text."""


def to_bytes(typed: str | bytes) -> bytes:
    """As a program without scruples sends it: lone surrogates become bytes that are not UTF-8."""
    return typed if isinstance(typed, bytes) else typed.encode("utf-8", "surrogatepass")


def encode_form(fields: list[tuple[str, str | bytes]]) -> bytes:
    """``application/x-www-form-urlencoded``, of whatever the fields are."""
    return b"&".join(
        quote_from_bytes(to_bytes(name)).encode() + b"=" + quote_from_bytes(to_bytes(value)).encode()
        for name, value in fields
    )


# Much of what is hostile is refused; this passes, and has what harms elsewhere.
PASSES = st.text("=+-@'\",;:<>{}%$&|()[]*_#`~^!?/ aЯ字", max_size=40).map("A{}".format)
FORMULAS = st.builds("{}{}A".format, st.sampled_from("=+-@＝＋－＠\t '\u00a0"), st.text("=+-@\n\t A1", max_size=10))
TYPED = st.one_of(text, PASSES, FORMULAS)
