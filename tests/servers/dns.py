"""A DNS server on loopback that answers from a table, over real UDP packets."""

import socketserver
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

# By name, then by type as in a zone file: {"example.org": {"TXT": ['"v=spf1 -all"'], "MX": ["10 mx.example.org."]}}.
Table = Mapping[str, Mapping[str, Sequence[str]]]
SERVFAIL = {"SERVFAIL": [""]}


class _Question(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        packet, listening = self.request
        asked = dns.message.from_wire(packet)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        question = asked.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        server = cast("_Listener", self.server).names
        server.asked.append((name, kind))
        records = server.table.get(name)
        if records is None:
            # A name is there if one below it is (RFC 8020).
            below = any(other.endswith(f".{name}") for other in server.table)
            answer.set_rcode(dns.rcode.NOERROR if below else dns.rcode.NXDOMAIN)
        elif "SERVFAIL" in records:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif kind in records:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, list(records[kind])))
        listening.sendto(answer.to_wire(), self.client_address)


class _Listener(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, names: "NameServer") -> None:
        self.names = names
        super().__init__(("127.0.0.1", 0), _Question)


class NameServer:
    """`with NameServer(table) as server:` ask by `server.resolver`; ``asked`` keeps every question."""

    def __init__(self, table: Table) -> None:
        self.table = dict(table)
        self.asked: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        self._listener = _Listener(self)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    @property
    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks this server alone."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self._listener.server_address[1]
        return resolver
