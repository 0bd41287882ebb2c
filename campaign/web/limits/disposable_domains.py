"""Disposable mail domains: a list in a file, kept by the person who runs the server."""

import logging
from pathlib import Path

from campaign.errors import InvalidSettings
from campaign.text.email_address import comparable_spelling

_log = logging.getLogger(__name__)


def _read(path: Path) -> frozenset[str]:
    lines = (line.partition("#")[0].strip().casefold().rstrip(".") for line in path.read_text("utf-8-sig").splitlines())
    # Addresses carry A-labels: a domain in another script is compared in that spelling too.
    domains = frozenset(
        line if line.isascii() else comparable_spelling(f"a@{line}").removeprefix("a@") for line in lines if line
    )
    for domain in domains:
        if any(letter.isspace() or letter in "@/:," for letter in domain):
            raise ValueError(domain)
    return domains


class DisposableDomains:
    """The domains in a file, one a line; ``#`` begins a comment. The file is read again when it has changed."""

    def __init__(self, path: Path | None) -> None:
        """Raises InvalidSettings if the file is missing or is no such list."""
        self._path = path
        self._domains: frozenset[str] = frozenset()
        self._stamp: tuple[int, int] | None = None
        if path is not None:
            try:
                self._stamp = self._stamp_of(path)
                self._domains = _read(path)
            except OSError:
                raise InvalidSettings(
                    f"CAMPAIGN_DISPOSABLE_DOMAINS: the file {path} is not there or cannot be read."
                ) from None
            except ValueError:
                raise InvalidSettings(
                    f"CAMPAIGN_DISPOSABLE_DOMAINS: {path} must be UTF-8 text with one domain a line, like example.org."
                ) from None

    @staticmethod
    def _stamp_of(path: Path) -> tuple[int, int]:
        status = path.stat()
        return status.st_mtime_ns, status.st_size

    def _refresh(self) -> None:
        assert self._path is not None
        try:
            stamp = self._stamp_of(self._path)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._domains = _read(self._path)
        except (OSError, ValueError):
            # Signing goes on with the list that was read before.
            _log.warning("The list of disposable domains cannot be read; the one read before stays in use")

    def find(self, domain: str) -> str | None:
        """The listed domain that ``domain`` equals or is a subdomain of, or None."""
        if self._path is None:
            return None
        self._refresh()
        labels = domain.casefold().split(".")
        names = (".".join(labels[start:]) for start in range(len(labels)))
        return next((name for name in names if name in self._domains), None)
