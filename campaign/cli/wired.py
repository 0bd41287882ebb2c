"""The installation that a command works on."""

import _thread
import os

import click

from campaign.installation.wiring import Campaign, wire
from campaign.services.operations.schema import check_schema
from campaign.settings import read_settings

_FORGET_WITHIN = 5.0


def unchecked() -> Campaign:
    """The installation, whatever state its database is in. Raises InvalidSettings."""
    return wire(read_settings())


def wired() -> Campaign:
    """The installation, ready for work. Raises InvalidSettings, KeyringError, ServerLocked, DatabaseError."""
    campaign = unchecked()
    _ = campaign.vault
    check_schema(campaign.database.engine)
    _end_when_locked(campaign)
    return campaign


def _end_when_locked(campaign: Campaign) -> None:
    """Interrupt the command that has the keys when the server is locked, and what does not let go within seconds."""

    def end() -> None:
        click.echo("The server was locked.", err=True)
        _thread.interrupt_main()
        if not ended.wait(_FORGET_WITHIN):
            os._exit(1)

    ended = campaign.lock.call_when_turned(end, was_on=False)
    click.get_current_context().call_on_close(ended.set)


def keyless() -> Campaign:
    """The installation, for work that needs no key and is done also while the server is locked.

    Raises InvalidSettings, DatabaseError.
    """
    campaign = unchecked()
    check_schema(campaign.database.engine)
    return campaign


def check_keys() -> None:
    """Raise KeyringError where the keys are wanted and cannot be read."""
    campaign = unchecked()
    if not campaign.lock.is_on:
        _ = campaign.vault
