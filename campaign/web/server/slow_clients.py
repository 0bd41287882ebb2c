"""Slow clients hold no thread: the server's loop reads requests, and a thread gets a request when it is complete.

gunicorn gives a connection to a thread at its first byte. So a few clients, as many as there are threads, could keep
everybody else out by sending a byte now and then. And its loop stops for two seconds at a client that does not close
its end. Here both wait in the loop, which costs a few kilobytes each and has a limit in time, number and memory.
"""

import fcntl
import re
import socket
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, cast

from gunicorn.http import RequestParser, get_parser
from gunicorn.workers.gthread import TConn, ThreadWorker

MOST_HEAD, MOST_BODY = 32 * 1024, 64 * 1024
WHOLE_WITHIN, LINGER, STOP_IDLE = 10.0, 2.0, 1.0  # seconds
MOST_WAITING, MOST_HELD = 800, 12 * 1024 * 1024
# A page fits, so a client that reads slowly holds no thread either. A download is cut off after so many seconds.
SEND_BUFFER, SEND_STALLS = 256 * 1024, 30
# A thread gets a whole request, so it never waits for more of one. If the server reads a request in another way than
# this loop does, the thread is free again after so many seconds.
RECEIVE_STALLS = 1
_LENGTH = re.compile(rb"^content-length:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_PLAIN_LENGTH = re.compile(rb"0|[1-9][0-9]*")
_EXPECT = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE | re.MULTILINE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CHUNKED = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Refused(Exception):
    """A request that the loop answers with a status alone; no more of it is read."""


def find_whole(received: bytearray) -> bytes | None:
    """The request for a thread if all of it has arrived, else None. Raises Refused with its status line.

    A request whose body would be too long is given without its body, to be answered with a page and closed. A length
    must be one plain number: two readers of ``0005`` or of two lengths may disagree about where the request ends. The
    server gets no ``Expect: 100-continue``, which the loop has answered.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0 or end > MOST_HEAD:
        if len(received) > MOST_HEAD:
            raise Refused("431 Request Header Fields Too Large")
        return None
    head = bytes(received[: end + 2])
    if _CHUNKED.search(head):
        raise Refused("411 Length Required")
    lengths = _LENGTH.findall(head)
    if len(lengths) > 1 or not all(map(_PLAIN_LENGTH.fullmatch, lengths)):
        raise Refused("400 Bad Request")
    body = int(lengths[0][:16]) if lengths else 0
    head = _EXPECT.sub(b"", head)
    if body > MOST_BODY:
        first, _, rest = head.partition(b"\r\n")
        return first + b"\r\nConnection: close\r\n" + rest + b"\r\n"
    return head + bytes(received[end + 2 :]) if len(received) >= end + 4 + body else None


def expects_continue(received: bytearray) -> bool:
    """Whether the client waits for ``100 Continue`` before it sends the body (RFC 9110 §10.1.1)."""
    end = received.find(b"\r\n\r\n")
    return end >= 0 and end + 4 == len(received) and _EXPECT.search(received, 0, end + 2) is not None


def _has_left(client: socket.socket) -> bool:
    """Whether the client's machine has all that was written to it (tcp(7), SIOCOUTQ)."""
    return not struct.unpack("i", fcntl.ioctl(client, termios.TIOCOUTQ, b"\0" * 4))[0]


class _Connection(TConn):
    received: bytearray
    until: float
    continues: bool
    lingers: Callable[["_Connection"], None]

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 (the library's signature)
        if graceful:
            self.lingers(self)
        else:
            super().close()


class PatientWorker(ThreadWorker):
    """A threaded worker whose loop does all the waiting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Oldest first: every entry waits for the same time.
        self._waiting: dict[_Connection, None] = {}
        self._held = 0  # bytes
        self._lingering: dict[_Connection, None] = {}
        # Their next request is whole, but the answer to the one before has not left.
        self._unread: set[_Connection] = set()

    def accept(self, listener: Any) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            client, address = listener.accept()
            if client.family != socket.AF_UNIX:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_STALLS, 0))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", RECEIVE_STALLS, 0))
            self.nr_conns += 1
            connection = _Connection(self.cfg, client, address, listener.getsockname())
            connection.lingers = self._linger
            self.enqueue_req(connection)

    def enqueue_req(self, conn: Any) -> None:
        """Wait until the next request of this connection is whole, then give it to a thread."""
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.initialized = True
        conn.sock.settimeout(0)
        conn.received = bytearray(conn.parser.unreader.take_buffered())
        conn.until = time.monotonic() + WHOLE_WITHIN
        conn.continues = False
        self._waiting[conn] = None
        self.poller.register(conn.sock, EVENT_READ, partial(self._read, conn))
        self._held += len(conn.received)
        self._look(conn)

    def _read(self, conn: _Connection, _socket: Any) -> None:
        try:
            piece = conn.sock.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._drop(conn)
            return
        conn.received += piece
        self._held += len(piece)
        self._look(conn)

    def _look(self, conn: _Connection) -> None:
        try:
            whole = find_whole(conn.received)
        except Refused as refused:
            with suppress(OSError):
                conn.sock.send(f"HTTP/1.1 {refused}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
            self._forget(conn)
            self.nr_conns -= 1
            self._linger(conn)
            return
        if whole is None:
            self._continue(conn)
        elif not _has_left(conn.sock):
            # A client that sends many requests and reads no answer would keep a thread writing.
            self._unread.add(conn)
        else:
            self._forget(conn)
            cast("RequestParser", conn.parser).unreader.unread(whole)
            conn.data_ready = True
            super().enqueue_req(conn)
        while len(self._waiting) > MOST_WAITING or self._held > MOST_HELD:
            self._drop(next(iter(self._waiting)))  # the slowest

    def _continue(self, conn: _Connection) -> None:
        """Tell a client once that its head is read, so that it sends the body."""
        if not conn.continues and expects_continue(conn.received):
            conn.continues = True
            with suppress(OSError):
                conn.sock.send(_CONTINUE)

    def _forget(self, conn: _Connection) -> None:
        del self._waiting[conn]
        self._unread.discard(conn)
        self.poller.unregister(conn.sock)
        self._held -= len(conn.received)
        conn.received = bytearray()

    def _drop(self, conn: _Connection) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _linger(self, conn: _Connection) -> None:
        """Tell the client that no more comes, and read for a while what it still sends, so that it gets our answer."""
        try:
            conn.sock.settimeout(0)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._drain, conn))
        except (OSError, KeyError, ValueError):
            conn.close()
            return
        conn.until = time.monotonic() + LINGER
        self._lingering[conn] = None
        while len(self._lingering) > MOST_WAITING:
            self._let_go(next(iter(self._lingering)))

    def _drain(self, conn: _Connection, _socket: Any) -> None:
        try:
            ended = not conn.sock.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._let_go(conn)

    def _let_go(self, conn: _Connection) -> None:
        del self._lingering[conn]
        self.poller.unregister(conn.sock)
        conn.close()

    def murder_pending(self) -> None:
        """Close the connections whose time is over; called in each round of the loop."""
        super().murder_pending()
        for conn in [one for one in self._unread if _has_left(one.sock)]:
            self._look(conn)
        now = time.monotonic()
        if not self.alive:
            # A client that connected a moment ago is about to send its request.
            said_nothing = now + WHOLE_WITHIN - STOP_IDLE
            for idle in [one for one in self._waiting if not one.received and one.until < said_nothing]:
                self._drop(idle)
        while self._waiting and (oldest := next(iter(self._waiting))).until < now:
            self._drop(oldest)
        while self._lingering and (oldest := next(iter(self._lingering))).until < now:
            self._let_go(oldest)
