"""The installation of a command: wired from the settings of its process."""

import _thread
import os
import threading

import click

from campaign.installation.wiring import Installation, wire
from campaign.services.operations.schema import check_schema
from campaign.settings import read_settings

_FORGET_WITHIN = 5.0


def unchecked() -> Installation:
    """The installation, without a check of its keys and its database. Raises InvalidSettings."""
    return wire(read_settings())


def wired() -> Installation:
    """The installation, with its keys read and its database checked.

    Raises InvalidSettings, KeyringError, ServerLocked and DatabaseError.
    """
    installation = unchecked()
    _ = installation.vault
    check_schema(installation.database.engine)
    _end_when_locked(installation)
    return installation


def _end_when_locked(installation: Installation) -> None:
    """Interrupt a command that has the keys when the server is locked; end its process if it does not stop in time."""

    ended = threading.Event()

    def end() -> None:
        click.echo("The server was locked.", err=True)
        # It does nothing in a command that a shell started in the background, where SIGINT is ignored.
        _thread.interrupt_main()
        if not ended.wait(_FORGET_WITHIN):
            os._exit(1)

    watch = installation.lock.call_when_turned(end, was_on=False)
    context = click.get_current_context()
    context.call_on_close(ended.set)
    context.call_on_close(watch.set)


def keyless() -> Installation:
    """The installation for work that needs no keys, and that is also done while the server is locked.

    Raises InvalidSettings and DatabaseError.
    """
    installation = unchecked()
    check_schema(installation.database.engine)
    return installation


def check_keys() -> None:
    """Raises KeyringError if the server is not locked and its keys cannot be read."""
    installation = unchecked()
    if not installation.lock.is_on:
        _ = installation.vault
