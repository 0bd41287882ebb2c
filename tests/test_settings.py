"""Settings: read from the environment, checked all at once, with no secret that has a default."""

from datetime import timedelta
from pathlib import Path

import pytest

from campaign.db import open_database
from campaign.errors import InvalidSettings
from campaign.settings import Settings, read_settings
from campaign.text.rates import Rate


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CAMPAIGN_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"CAMPAIGN_{name.upper()}", value)
    return read_settings()


def test_with_nothing_set_everything_is_beside_the_data_on_loopback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = read(monkeypatch)
    assert settings.keyring == Path("var/keyring.json")
    assert settings.outbox == Path("var/outbox")
    assert settings.database_url == f"sqlite:///{tmp_path}/var/campaign.sqlite"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.is_local
    assert settings.source_limit == Rate(60, timedelta(hours=1))
    assert list(tmp_path.iterdir()) == []


def test_every_problem_is_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "database_url": "mysql://x",
        "smtp_url": "mail.example.org",
        "base_url": "petition.example.org",
        "port": "0",
        "mail_from": "nobody",
        "source_limit": "many",
        "worker_name": "Worker One",
        "form_min_seconds": "-1",
    }
    with pytest.raises(InvalidSettings) as refused:
        read(monkeypatch, **wrong)
    assert [name for name in wrong if f"CAMPAIGN_{name.upper()} " not in refused.value.sentence] == []
    assert "\n" not in refused.value.sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://localhost/x"),
        ("database_url", "sqlite://"),
        ("smtp_url", "https://mail.example.org"),
        ("smtp_url", "smtp://"),
        ("smtp_url", "smtp://mail.example.org:99999"),
        ("base_url", "ftp://example.org"),
        ("base_url", "https://example.org/path"),
        ("base_url", "https://example.org?x=1"),
        ("base_url", "https://example.org#x"),
        ("base_url", "http://[::1]:8000"),
        ("base_url", "http://[::1"),
        ("base_url", "https://a..рф"),
        ("base_url", "https://straße.example.org"),
        ("organize_url", "http://[2001:db8::1]"),
        ("smtp_url", "smtp+starttls://user:1234#secret@mail.example.org:587"),
        ("smtp_url", "smtp+starttls://user:1234?secret@mail.example.org:587"),
        ("bounces_url", "imaps://user:1234#secret@mail.example.org/INBOX"),
        ("database_url", "postgresql+psycopg://user:1234#secret@db/x"),
        ("mail_from", "a@b@example.org"),
        ("mail_from", "Name <petition@example.org>"),
        ("source_limit", "sixty"),
        ("port", "65536"),
        ("smtp_timeout", "0"),
        ("trusted_proxies", "-1"),
        ("worker_name", "../worker"),
        ("worker_name", ""),
        ("check_dns", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"CAMPAIGN_{name.upper()} "):
        read(monkeypatch, **{name: value})


def test_a_refusal_does_not_repeat_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read(monkeypatch, smtp_url="smtpx://user:hunter2@mail.example.org", database_url="mysql://u:hunter2@db/x")
    assert "hunter2" not in refused.value.sentence


@pytest.mark.parametrize(
    ("value", "limit"), [("off", None), (" OFF ", None), ("5/minute", Rate(5, timedelta(minutes=1)))]
)
def test_the_source_limit_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, value: str, limit: Rate | None) -> None:
    assert read(monkeypatch, source_limit=value).source_limit == limit


@pytest.mark.parametrize(
    ("values", "base_url", "local", "hosts"),
    [
        ({"port": "8123"}, "http://127.0.0.1:8123", True, {"127.0.0.1", "localhost"}),
        ({"host": "::1"}, "http://localhost:8000", True, {"127.0.0.1", "localhost"}),
        ({"host": "0.0.0.0"}, "http://0.0.0.0:8000", False, {"0.0.0.0"}),
        (
            {"base_url": "https://petition.example.org/"},
            "https://petition.example.org",
            False,
            {"petition.example.org", "127.0.0.1", "localhost"},
        ),
        (
            {"base_url": "https://petition.example.org", "host": "10.0.0.1"},
            "https://petition.example.org",
            False,
            {"petition.example.org"},
        ),
    ],
)
def test_a_server_is_local_only_where_nobody_else_reaches_it(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], base_url: str, local: bool, hosts: set[str]
) -> None:
    settings = read(monkeypatch, **values)
    assert (settings.base_url, settings.is_local, set(settings.trusted_hosts)) == (base_url, local, hosts)


def test_a_keyring_elsewhere_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, keyring="/run/keys/k", data_dir="/srv/x").keyring == Path("/run/keys/k")
    monkeypatch.delenv("CAMPAIGN_KEYRING")
    assert read(monkeypatch).keyring == Path("/srv/x/keyring.json")


def test_a_dotenv_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CAMPAIGN_PORT=8001\nCAMPAIGN_HOST=::1\nOTHER=x\n")
    settings = read(monkeypatch, port="8002")
    assert (settings.port, settings.host) == (8002, "::1")


@pytest.mark.parametrize("folder", ["da%20ta", "da?ta", "da#ta", "дані", "da ta", "da+ta"])
def test_the_database_is_in_the_data_folder_whatever_it_is_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    database = open_database(read(monkeypatch, data_dir=str(tmp_path / folder)).database_url)
    database.ping()
    database.engine.dispose()
    assert (tmp_path / folder / "campaign.sqlite").is_file()
    assert [file.name for file in tmp_path.iterdir()] == [folder]


def test_a_name_in_another_script_is_written_as_the_dns_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, base_url="https://Пример.рф:8443/")
    assert settings.base_url == "https://xn--e1afmkfd.xn--p1ai:8443"
    assert "xn--e1afmkfd.xn--p1ai" in settings.trusted_hosts


def test_a_setting_in_a_wrong_spelling_is_named_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("CAMPAIGN_SMTP_ULR=smtp://mail.example.org\n")
    with pytest.raises(InvalidSettings) as refused:
        read(monkeypatch, prot="1", trusted_proxy="1", source_limits="hunter2")
    for wrong, right in (
        ("PROT", "PORT"),
        ("SMTP_ULR", "SMTP_URL"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("SOURCE_LIMITS", "SOURCE_LIMIT"),
    ):
        assert f"CAMPAIGN_{wrong} is no setting: is CAMPAIGN_{right} meant?" in refused.value.sentence
    assert "hunter2" not in refused.value.sentence


def test_a_setting_of_another_version_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, processes="2", ehlo_name="x", port="8001").port == 8001


@pytest.mark.parametrize(
    ("base_url", "ehlo_name", "said"),
    [
        ("https://petition.example.org", "", "petition.example.org"),
        ("https://petition.example.org:8443", "", "petition.example.org"),
        ("https://пример.рф", "", "xn--e1afmkfd.xn--p1ai"),
        ("http://192.0.2.1:8000", "", "[192.0.2.1]"),
        ("", "", "[127.0.0.1]"),
        ("https://petition.example.org", "mail.example.org.", "mail.example.org"),
        ("https://petition.example.org", "Пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("https://petition.example.org", "192.0.2.7", "[192.0.2.7]"),
        ("https://petition.example.org", "[192.0.2.7]", "[192.0.2.7]"),
        ("https://petition.example.org", "2001:db8::7", "[IPv6:2001:db8::7]"),
        ("https://petition.example.org", "[IPv6:2001:db8::7]", "[IPv6:2001:db8::7]"),
        ("http://my_host:8000", "", ""),
    ],
)
def test_the_name_in_ehlo_is_the_host_of_the_base_url_or_the_one_that_is_set(
    base_url: str, ehlo_name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(monkeypatch, base_url=base_url, ehlo_name=ehlo_name).ehlo_name == said


@pytest.mark.parametrize(
    "ehlo_name", ["my_host", "mail.example.org:25", "https://example.org", "-a.org", "192.0.2", "[x]", "a b", "a..b"]
)
def test_a_wrong_name_for_ehlo_is_refused_with_an_example(ehlo_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match=r"CAMPAIGN_EHLO_NAME must be a name such as petition\.example\.org"):
        read(monkeypatch, ehlo_name=ehlo_name)


def test_a_base_url_that_gives_no_name_for_ehlo_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match="CAMPAIGN_EHLO_NAME is needed"):
        read(monkeypatch, base_url="http://my_host:8000", smtp_url="smtp://127.0.0.1")
