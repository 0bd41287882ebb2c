"""One SMTP connection (RFC 5321, pipelined by RFC 2920): it writes commands, and says which reply belongs to which.

On one connection at most one message is between its final dot and the server's reply. The envelope of the next message
goes out in the same write as that dot, so a message costs one round trip.
"""

import re
import socket
import ssl
from collections import deque
from collections.abc import Iterator

from campaign.mail.smtp.protocol import ConnectionLost, Extensions, Item, Reply, read_code

_DOT_AT_LINE_START = re.compile(rb"(?m)^\.")
_FINAL_DOT = b".\r\n"
_READ = 1 << 16
_MOST_TEXT = 2000  # bytes of a reply of many lines that are kept
# Postfix hangs up after 20 errors on a connection, and answers slowly after 10; a refused recipient can be two of them.
_MOST_ERRORS = 8
_CODES = {b"250 ": 250, b"354 ": 354}


_ENVELOPE = (Reply.MAIL, Reply.RCPT, Reply.DATA)
# After a final dot only one envelope is sent.
_USUALLY_EXPECTED = (Reply.DOT, *_ENVELOPE)
_USUAL = re.compile(rb"(250 [^\r\n]*)\r?\n(?:250 [^\r\n]*\r?\n){2}354 [^\r\n]*\r?\n")


class Connection:
    """A connection after its greeting, on a socket that does not block.

    ``envelopes`` counts the messages whose envelope was queued; ``used`` says whether a message has ended on it;
    ``polled_for_writing`` belongs to the pipeline: whether it polls the socket for writing too.
    """

    def __init__(self, sock: socket.socket, extensions: Extensions) -> None:
        self.sock = sock
        self._is_secure = isinstance(sock, ssl.SSLSocket)
        self._extensions = extensions
        self._unread = b""
        self._unwritten = b""
        self._until_dot = 0  # bytes to write until the last final dot is sent
        self._todo: deque[tuple[tuple[Reply, ...], Item, bytes]] = deque()
        self._expected: deque[tuple[Reply, Item]] = deque()
        self._needs_reset = False
        self._said = b""
        self._errors = 0
        self.polled_for_writing = False
        self.envelopes = 0
        self.used = False

    @property
    def is_idle(self) -> bool:
        """Whether no message is in flight."""
        return not self._expected and not self._todo

    @property
    def mail_max(self) -> int | None:
        """The number of mails that the server takes on a connection, as it has announced."""
        return self._extensions.mail_max

    def is_spent(self, most: int) -> bool:
        """Whether it has carried ``most`` messages, or brought so many errors that the server might soon hang up."""
        return self.envelopes >= most or self._errors >= _MOST_ERRORS

    @property
    def waits_behind_dot(self) -> bool:
        """Whether the next reply is to an envelope that was sent in one write with a final dot."""
        return bool(self._expected) and self._expected[0][0] is Reply.MAIL and self._expected[0][1].behind_dot

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes are left that the socket did not take yet."""
        return bool(self._unwritten)

    @property
    def items(self) -> list[Item]:
        """The messages in flight, in order."""
        found = {item.number: item for _, item in (*self._expected, *((None, item) for _, item, _ in self._todo))}
        return list(found.values())

    def is_final_dot_sent(self, item: Item) -> bool:
        """Whether the final dot of ``item`` was written to the socket."""
        return self._until_dot <= 0 and any(kind is Reply.DOT and it is item for kind, it in self._expected)

    def can_take(self, item: Item) -> bool:
        """Whether the server takes the recipient's address: one that is not ASCII needs SMTPUTF8 (RFC 6531)."""
        return item.message.recipient.isascii() or self._extensions.smtputf8

    def queue_envelope(self, item: Item, *, data_waits: bool = False) -> None:
        """Queue the commands MAIL, RCPT and DATA for ``item``; ``flush`` sends them.

        With ``data_waits`` DATA is not sent before the answer to RCPT, whatever the server offers.
        """
        message, offered = item.message, self._extensions
        self.envelopes += 1
        item.behind_dot = offered.pipelining and any(kinds[0] is Reply.DOT for kinds, _, _ in self._todo)
        options = f" SIZE={len(message.content)}" if offered.size else ""
        options += (
            " BODY=8BITMIME" if offered.eight_bit and not (message.is_encoded or message.content.isascii()) else ""
        )
        options += " SMTPUTF8" if not message.recipient.isascii() else ""
        if self._needs_reset:
            self._todo.append(((Reply.RSET,), item, b"RSET\r\n"))
            self._needs_reset = False
        mail, rcpt = f"MAIL FROM:<{message.sender}>{options}\r\n", f"RCPT TO:<{message.recipient}>\r\n"
        if offered.pipelining and data_waits:
            self._todo.append(((Reply.MAIL, Reply.RCPT), item, f"{mail}{rcpt}".encode()))
            self._todo.append(((Reply.DATA,), item, b"DATA\r\n"))
            return
        if offered.pipelining:
            self._todo.append((_ENVELOPE, item, f"{mail}{rcpt}DATA\r\n".encode()))
            return
        for kind, command in zip(_ENVELOPE, (mail, rcpt, "DATA\r\n"), strict=True):
            self._todo.append(((kind,), item, command.encode()))

    def queue_content(self, item: Item) -> None:
        """Queue the message with its final dot; ``flush`` sends it."""
        content = item.message.content
        if not item.message.is_encoded:
            content = _DOT_AT_LINE_START.sub(b"..", content)
        self._todo.appendleft(((Reply.DOT,), item, content))

    def queue_empty_dot(self, item: Item) -> None:
        """Queue a dot alone: it ends the DATA of a message whose recipient was refused; ``flush`` sends it."""
        self._todo.appendleft(((Reply.EMPTY_DOT,), item, b".\r\n"))

    def flush(self) -> None:
        """Write the queued commands, without pipelining one at a time. Raises ConnectionLost."""
        ready = [self._unwritten] if self._unwritten else []
        while self._todo and (self._extensions.pipelining or not self._expected):
            kinds, item, command = self._todo[0]
            if kinds == (Reply.DATA,) and self._expected:
                break
            self._todo.popleft()
            for kind in kinds:
                self._expected.append((kind, item))
            ready.append(command)
            if kinds[0] is Reply.DOT:
                ready.append(_FINAL_DOT)
                self._until_dot = sum(map(len, ready))
        if not ready:
            return
        data = b"".join(ready)
        try:
            sent = self.sock.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        except OSError as error:
            self._unwritten = data
            raise ConnectionLost(type(error).__name__) from None
        self._until_dot -= sent
        self._unwritten = data[sent:]

    def read(self) -> None:
        """Read the bytes that have arrived. Raises ConnectionLost; replies that came earlier can still be read."""
        try:
            while True:
                data = self.sock.recv(_READ)
                if not data:
                    raise ConnectionLost("the server hung up")
                self._unread += data
                if len(data) < _READ and not self._is_secure:
                    break
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            raise ConnectionLost(type(error).__name__) from None
        if len(self._unread) > 4 * _READ:
            raise ConnectionLost("the server's answer has no end")

    def replies(self) -> Iterator[tuple[Reply, Item, int, bytes]]:
        """The complete replies: the command answered, its message, the code, the last line with the text of all lines.

        Raises ConnectionLost if the server sends something other than SMTP, or a reply that nothing asked for.
        """
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            code = _CODES.get(line[:4]) or read_code(line)
            if code is None:
                self._said = (self._said + line[4:].strip() + b" ")[:_MOST_TEXT]
                continue
            said, self._said = line[:4] + self._said + line[4:] if self._said else line, b""
            if code >= 400:
                self._errors += 1
            if not self._expected:
                raise ConnectionLost("the server is closing")  # a server sends 421 unasked when it closes
            kind, item = self._expected.popleft()
            yield kind, item, code, said

    def usual_replies(self) -> tuple[Item, bytes, Item] | None:
        """The replies that nearly every read brings: the message that was accepted, the line that says so, and the next
        message, whose content may be sent now.

        Returns None if other replies arrived; ``replies`` reads them one by one.
        """
        found = _USUAL.fullmatch(self._unread)
        if found is None or len(self._expected) != len(_USUALLY_EXPECTED) or self._expected[0][0] is not Reply.DOT:
            return None
        taken, following = self._expected[0][1], self._expected[-1][1]
        self._expected.clear()
        self._unread = b""
        return taken, found[1], following

    def cancel(self, item: Item) -> bool:
        """Remove the commands for ``item`` that were not sent yet; returns whether there were any."""
        kept = [command for command in self._todo if command[1] is not item]
        cancelled = len(kept) < len(self._todo)
        self._todo = deque(kept)
        if cancelled:
            self._needs_reset = True
        return cancelled

    def close(self) -> None:
        """Send QUIT and close without waiting, since answers to other commands may still come."""
        try:
            self.sock.send(b"QUIT\r\n")
        except OSError:
            pass
        finally:
            self.sock.close()

    def say_goodbye(self) -> None:
        """Send QUIT, wait up to two seconds for the reply (RFC 5321 §4.1.1.10), and close."""
        try:
            self.sock.settimeout(2)
            self.sock.sendall(b"QUIT\r\n")
            self.sock.recv(512)
        except OSError:
            pass
        finally:
            self.sock.close()

    def require_reset(self) -> None:
        """Begin the next envelope with RSET, since the server is still within a transaction (RFC 5321 §4.1.1.5)."""
        self._needs_reset = True
