"""Commands, files, mails, keys and settings under hostile input: one sentence, exit status 1 or 2, no traceback."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import strategies as st

import campaign.cli
from campaign.cli import cli, printable
from campaign.crypto.keyring import Keyring
from campaign.errors import CampaignError
from campaign.mail.dkim import read_keys
from campaign.mail.returned.reports import read_report
from campaign.services.petitions.file_reader import read_petition_file, read_update_file
from campaign.settings import Settings, read_settings
from tests.conftest import SLUG, MakeInstallation
from tests.fuzz import hostile
from tests.fuzz.running import Sandbox, fuzz, sandbox
from tests.scenes.campaign_files import SMALL, UPDATE
from tests.scenes.people import add_readers, list_deliveries, make_digest

Run = Callable[..., None]


def _sandboxed(make: MakeInstallation) -> Iterator[Sandbox]:
    installation = make()
    add_readers(installation, "reader@example.org")
    make_digest(installation)
    with sandbox(installation) as box:
        yield box


@pytest.fixture
def box(make_sqlite_installation: MakeInstallation) -> Iterator[Sandbox]:
    yield from _sandboxed(make_sqlite_installation)


@pytest.fixture
def box_on_both(make_installation: MakeInstallation) -> Iterator[Sandbox]:
    yield from _sandboxed(make_installation)


def _run_in(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the installation, without reading settings and opening the database each time."""
    for found in pkgutil.iter_modules(campaign.cli.__path__):
        module = importlib.import_module(f"campaign.cli.{found.name}")
        if hasattr(module, "wired"):
            monkeypatch.setattr(module, "wired", lambda: box.installation)

    def run(*words: str, given: bytes = b"") -> None:
        with box.case():
            done = CliRunner().invoke(cli, list(words), input=given, standalone_mode=False)
            fine = (CampaignError, click.ClickException, click.Abort, SystemExit)
            if done.exception is not None and not isinstance(done.exception, fine):
                raise done.exception
            if isinstance(done.exception, CampaignError):
                printable(done.exception.sentence).encode("ascii", "backslashreplace")

    return run


@pytest.fixture
def run(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    return _run_in(box, monkeypatch)


def _as_given(typed: str) -> str:
    """What a system hands to a program: no NUL, and surrogates for bytes that are no text (PEP 383)."""
    return hostile.to_bytes(typed.replace("\0", "")).decode("utf-8", "surrogateescape")


def _argument(usual: str) -> st.SearchStrategy[str]:
    return st.one_of(st.just(usual), hostile.text.map(_as_given))


SIGN = st.builds(
    lambda slug, name, email, country, comment, language: (
        "sign",
        slug,
        f"--name={name}",
        f"--email={email}",
        f"--country={country}",
        f"--comment={comment}",
        f"--language={language}",
        "--updates",
    ),
    _argument(SLUG),
    _argument("Aigerim"),
    _argument("a@example.org"),
    _argument("KZ"),
    _argument("From the mine."),
    _argument("en"),
)
COMMANDS = {
    "command sign": SIGN,
    "command organizer add": st.builds(lambda email, slug, role: ("organizer", "add", email, f"--petition={slug}", f"--role={role}"), _argument("dana@example.org"), _argument(SLUG), _argument("owner")),
    "command history": _argument("reader@example.org").map(lambda email: ("history", email)),
    "command export": st.builds(lambda slug, output: ("export", slug, f"--output={output}"), _argument(SLUG), hostile.short.map(lambda one: "no-folder/x" + _as_given(one).replace("/", "_"))),
    "command petition open": _argument(SLUG).map(lambda slug: ("petition", "open", slug)),
}  # fmt: skip


@pytest.mark.parametrize("sink", COMMANDS)
def test_arguments(sink: str, run: Run) -> None:
    fuzz(sink, COMMANDS[sink], lambda words: run(*words))


def _spoiled(whole: str) -> st.SearchStrategy[bytes]:
    """A good file, some of whose lines are replaced, doubled or cut, or one that is none at all."""
    lines = whole.splitlines()
    keys = sorted({line.partition("=")[0].strip() for line in lines if "=" in line})
    numbers = st.sampled_from(
        [
            "9" * 5000,
            "-1",
            "1e999",
            "nan",
            "inf",
            "0x" + "f" * 40,
            "2147483648",
            "9223372036854775808",
            "true",
            "1.5",
            "[]",
            "{}",
            "[[1]]",
            "1979-05-27T07:32:00Z",
            "0001-01-01",
            "9999-12-31",
            "24:00:00",
            "23:59:60",
        ]
    )
    quoted = hostile.text.map(lambda one: "'''" + one.replace("'", "") + "'''")
    escaped = st.sampled_from(
        [
            '"\\u0000"',
            '"\\u202e"',
            '"a\\nb"',
            '"a\\r\\nBcc: x@example.net"',
            '"\\U0010FFFF"',
            '"{count}{{"',
            '"[a](javascript:canary())"',
            '"![a](http://canary-tag.example/x)"',
            '"' + "[" * 3000 + '"',
            '"' + "> " * 3000 + 'a"',
            '"' + "*a **b " * 1500 + '"',
            '"' + "(" * 5000 + '"',
            '"<b onclick=x>"',
        ]
    )
    line = st.one_of(
        st.builds("{} = {}".format, st.sampled_from(keys), st.one_of(numbers, quoted, escaped)),
        hostile.text,
        st.sampled_from(
            [
                "[" * 2000,
                "a = " + "[" * 3000,
                "a = " + "{a=" * 2000,
                "[a." + "a." * 3000 + "a]",
                "[[demands]]",
                "[title]",
                'slug = "b"',
                "\ufeff",
                "'''",
                '"""',
                "x = '\x00'",
            ]
        ),
    )
    changes = st.lists(st.tuples(st.integers(0, len(lines) - 1), line), min_size=1, max_size=2)

    def changed(these: list[tuple[int, str]]) -> bytes:
        new = list(lines)
        for at, other in these:
            key = other.partition("=")[0].strip()
            same = [number for number, old in enumerate(lines) if old.partition("=")[0].strip() == key]
            new[same[at % len(same)] if same else at] = other
        return hostile.to_bytes("\n".join(new))

    return st.one_of(changes.map(changed), changes.map(changed), changes.map(changed), hostile.octets)


def test_petition_files(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "file.toml"

    def check(content: bytes) -> None:
        file.write_bytes(content)
        run("petition", "load", str(file))

    fuzz("file petition load", _spoiled(SMALL), check)


def test_update_files(run: Run, tmp_path: Path) -> None:
    """Of the built-in campaign, in a language of which the file has to have all."""
    file = tmp_path / "file.toml"
    whole = UPDATE.replace("ru =", 'kk = "Кейін"\nru =')

    def check(content: bytes) -> None:
        file.write_bytes(content)
        run("update", "add", SLUG, str(file))

    fuzz("file update add", _spoiled(whole), check)


def test_on_postgresql_too_a_sample(box_on_both: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run, file = _run_in(box_on_both, monkeypatch), tmp_path / "file.toml"
    for sink in COMMANDS.values():
        fuzz("sample of commands on both databases", sink, lambda words: run(*words), part=10)

    def check(content: bytes) -> None:
        file.write_bytes(content)
        run("petition", "load", str(file))

    fuzz("sample of files on both databases", _spoiled(SMALL), check, part=3)


def test_mails_that_come_back(box: Sandbox, run: Run) -> None:
    """Reports with true and false names of mails, and what is no mail."""
    token = box.installation.vault.mail_token(list_deliveries(box.installation)[0].id)
    report = (Path(__file__).parents[1] / "mail/returned/bounces/exim-unknown.eml").read_bytes()
    header = st.builds(
        lambda name, value: hostile.to_bytes(f"{name}: {value}"),
        st.sampled_from(
            [
                "Content-Type",
                "Content-Transfer-Encoding",
                "From",
                "To",
                "Subject",
                "Message-ID",
                "MIME-Version",
                "Content-Disposition",
                "Feedback-Type",
                "Final-Recipient",
                "Status",
                "Action",
                "Original-Envelope-Id",
                "X-Failed-Recipients",
            ]
        ),
        st.one_of(
            hostile.text,
            st.sampled_from(
                [
                    f"bounces+{token}@example.org",
                    "multipart/report; report-type=delivery-status; boundary=x",
                    "multipart/mixed; boundary=" + "x" * 1000,
                    "message/rfc822",
                    "text/plain; charset=nonsense",
                    "=?utf-8?b?////?=",
                    "=?" * 500,
                    "base64",
                    "quoted-printable",
                    "x-uuencode",
                    "5.1.1",
                    "rfc822;" + "a" * 500,
                ]
            ),
        ),
    )
    nested = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 300
    cases = st.one_of(
        st.tuples(st.lists(header, max_size=5), st.one_of(hostile.octets, st.just(report))).map(lambda two: b"\n".join(two[0]) + b"\n\n" + two[1]),
        st.tuples(st.integers(0, len(report)), hostile.octets).map(lambda two: report[: two[0]] + two[1] + report[two[0] :]),
        st.sampled_from([nested, b"\n" * 3000, b":" * 3000, b"Content-Type: message/rfc822\n\n" * 300, b"From " + b"x" * 3000]),
    )  # fmt: skip

    def check(message: bytes) -> None:
        read_report(message)
        run("bounce", given=message)

    fuzz("mail bounce", cases, check)


def test_keys_for_dkim(tmp_path: Path) -> None:
    pem = b"-----BEGIN PRIVATE KEY-----\n%b\n-----END PRIVATE KEY-----\n"
    cases = st.one_of(
        hostile.octets,
        hostile.octets.map(lambda one: pem % one),
        st.binary(max_size=80).map(lambda one: b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n" + one),
    )

    def check(content: bytes) -> None:
        path = tmp_path / "a.pem"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(CampaignError):
            read_keys(tmp_path, ["a"])

    fuzz("file DKIM key", cases, check)


def test_keyrings(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    Keyring.fresh().write(made)
    good = made.read_text(encoding="ascii")
    values = st.sampled_from(
        [
            "null",
            "[]",
            "{}",
            '"x"',
            "1" * 5000,
            "[" * 3000,
            '{"0": ""}',
            '{"1": 1}',
            '{"256": "AA=="}',
            '{"²": "AA=="}',
            "NaN",
            '"\\ud800"',
        ]
    )
    cases = st.one_of(
        hostile.octets,
        values.map(str.encode),
        st.tuples(st.sampled_from(["sealing", "lookup", "links", "sessions"]), values).map(
            lambda two: good.replace(f'"{two[0]}":', f'"{two[0]}": {two[1]}, "x":', 1).encode()
        ),
    )
    path = tmp_path / "keyring.json"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(CampaignError):
            Keyring.read(path)

    fuzz("file keyring", cases, check)


def test_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Any value of any setting: a server's settings, or one sentence."""
    monkeypatch.chdir(tmp_path)
    names = sorted(Settings.model_fields)
    urls = st.sampled_from(
        [
            "sqlite:///",
            "postgresql://[",
            "smtp://a:b@[::1",
            "smtp://a:99999",
            "smtps://%zz:%00@h",
            "https://[x]/",
            "http://a b",
            "imaps://u:p@",
            "maildir://",
            "0/hour",
            "-1/second",
            "1/0",
            "9" * 30 + "/hour",
        ]
    )
    value = st.one_of(hostile.text, urls).map(_as_given)

    def check(given: dict[str, str]) -> None:
        with monkeypatch.context() as patch:
            for name in names:
                patch.delenv(f"CAMPAIGN_{name.upper()}", raising=False)
            for name, typed in given.items():
                patch.setenv(f"CAMPAIGN_{name.upper()}", typed)
            try:
                read_settings()
            except CampaignError as refused:
                printable(refused.sentence)

    fuzz("settings", st.dictionaries(st.sampled_from(names), value, min_size=1, max_size=2), check)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    """A folder, a name that cannot be, a file that is far too large to be a campaign."""
    large = tmp_path / "large.toml"
    with large.open("wb") as file:
        file.truncate(1 << 33)  # eight gigabytes of nothing, which take no room on the disk
    for path in (tmp_path, Path("a\0b"), Path("\udcff"), Path("x" * 5000), large, Path("/dev/zero")):
        for read in (read_petition_file, lambda one: read_update_file(one, ["en"])):
            with pytest.raises(CampaignError):
                read(path)
