"""A flood: bodies and heads beyond their limits are refused, and slow clients hold no thread of the server."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse, parse_headers
from pathlib import Path

import pytest

from campaign.web.server.slow_clients import MOST_BODY, MOST_HEAD, Refused, find_whole
from tests.scenes.serving import free_port, serving
from tests.scenes.visiting import page_of

THREADS = 2
HEAD = f"POST {page_of()} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()


@pytest.fixture(scope="module")
def port(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of its own with two threads."""
    folder, port = tmp_path_factory.mktemp("flooded"), free_port()
    shutil.copytree(sqlite_template, folder / "var")
    with serving(["-m", "campaign", "serve"], folder, port, threads=THREADS) as printed:
        yield port
    assert printed.read_text(encoding="utf-8") == ""


def ask(port: int, raw: bytes) -> HTTPResponse:
    """What the server says to these bytes; it must have answered and ended, whatever is still to be sent."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(raw)
    answer = HTTPResponse(client)
    answer.begin()
    answer.read()
    client.close()
    return answer


def page(port: int, headers: str) -> bytes:
    """The petition's page, asked for with these header lines."""
    raw = f"GET {page_of()} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(raw.encode())
        answer = HTTPResponse(client)
        answer.begin()
        assert answer.status == 200
        return answer.read()


def status(port: int) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", page_of())
    found = connection.getresponse().status
    connection.close()
    return found


def test_many_slow_clients_do_not_keep_an_honest_one_out(port: int) -> None:
    """Heads without an end, bodies that never come, answers that nobody takes: more of each than there are threads."""
    with ExitStack() as stack:
        for begun in (HEAD, HEAD + b"Content-Length: 60000\r\n\r\nname=", b"G", b""):
            for _ in range(8 * THREADS):
                stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(begun)
        for _ in range(8 * THREADS):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(f"GET {page_of()} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        assert [status(port) for _ in range(20)] == [200] * 20


BEYOND = {
    "body": (HEAD + b"Content-Length: 65537\r\n\r\n", 413),
    "huge body": (HEAD + b"Content-Length: 999999999999\r\n\r\n" + b"x" * 200_000, 413),
    "length without end": (HEAD + b"Content-Length: " + b"9" * 4000 + b"\r\n\r\n", 413),
    "two lengths": (HEAD + b"Content-Length: 3\r\nContent-Length: 70000\r\n\r\nabc", 400),
    "two equal lengths": (HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "length with zeros": (HEAD + b"Content-Length: 00000000000000000005\r\n\r\n", 400),
    "length with a sign": (HEAD + b"Content-Length: +5\r\n\r\n", 400),
    "length with a space": (HEAD + b"Content-Length : 5\r\n\r\n", 400),
    "empty length": (HEAD + b"Content-Length:\r\n\r\n", 400),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nname=\r\n", 411),
    "head": (HEAD + b"X: " + b"x" * (MOST_HEAD + 1), 431),
    "line": (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
    "fields": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: 1\r\n" * 80 + b"\r\n", 431),
    "another protocol": (b"\x16\x03\x01\x00\xf4\x01\x00\r\n\r\n", 400),
    "query": (b"GET /organize/sign-in?next=\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
}


def test_what_is_beyond_a_limit_is_answered_at_once(port: int) -> None:
    assert {what: ask(port, raw).status for what, (raw, _) in BEYOND.items()} == {
        what: wanted for what, (_, wanted) in BEYOND.items()
    }
    assert status(port) == 200


def test_a_request_in_pieces_and_two_in_one_are_answered(port: int) -> None:
    """Of one connection, one after the other."""
    get = f"GET {page_of()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, client.makefile("rb") as stream:
        for raw, answers in (([get[:9], get[9:]], 1), ([get + get], 2)):
            for piece in raw:
                client.sendall(piece)
            for _ in range(answers):
                assert stream.readline().split()[1] == b"200"
                assert b"</html>" in stream.read(int(parse_headers(stream)["Content-Length"]))


def test_a_request_is_whole_when_its_head_and_its_body_are_there() -> None:
    head = b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\n"
    for received, whole in (
        (b"", None),
        (head[:-1], None),
        (head, None),
        (head + b"ab", None),
        (head + b"abc", head + b"abc"),
    ):
        assert find_whole(bytearray(received)) == whole
    assert find_whole(bytearray(b"GET / HTTP/1.1\r\n\r\n")) == b"GET / HTTP/1.1\r\n\r\n"


def test_a_client_that_waits_for_continue_is_answered(port: int) -> None:
    """RFC 9110 §10.1.1; Apache as a proxy waits for it, and answered 502 after ten seconds."""
    body = b"name="
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, client.makefile("rb") as stream:
        for _ in range(2):
            client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(body))
            client.sendall(b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
            assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert stream.readline() == b"\r\n"
            client.sendall(body)
            assert stream.readline().split()[1] == b"422"
            assert b"</html>" in stream.read(int(parse_headers(stream)["Content-Length"]))


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO", "REMOTE_USER"])
def test_a_header_does_not_move_the_pages(port: int, name: str) -> None:
    """A client could else put another address into pages that caches keep for everybody."""
    moved, plain = (page(port, headers).count(b'href="/en/') for headers in (f"{name}: /en\r\n", ""))
    assert moved == plain > 0


def test_a_proxy_is_not_believed_about_the_scheme_unless_told(port: int) -> None:
    assert b"https://127.0.0.1" not in page(port, "X-Forwarded-Proto: https\r\n")


def test_clients_that_send_many_requests_and_read_nothing_do_not_keep_an_honest_one_out(port: int) -> None:
    many = f"GET {page_of()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 40
    with ExitStack() as stack:
        for _ in range(8 * THREADS):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(many)
        assert [status(port) for _ in range(20)] == [200] * 20


def test_a_body_that_is_too_long_is_left_where_it_is() -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 1)
    assert find_whole(bytearray(head + b"abc")) == (
        b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 1)
    )
    with pytest.raises(Refused, match="431"):
        find_whole(bytearray(b"x" * (MOST_HEAD + 1)))
