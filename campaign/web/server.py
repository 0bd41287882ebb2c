"""The web server: one process, some threads."""

import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from campaign.errors import AlreadyRunning
from campaign.settings import Settings
from campaign.web import create_app
from campaign.web.doors import Door
from campaign.wiring import Campaign


class _Server(BaseApplication):
    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def _place(settings: Settings, door: Door) -> tuple[str, int, str]:
    """Where a door's server listens, and the setting that says so."""
    if door is Door.ORGANIZERS:
        return settings.organize_host, settings.organize_port, "CAMPAIGN_ORGANIZE_PORT"
    return settings.host, settings.port, "CAMPAIGN_PORT"


def check_port_is_free(settings: Settings, door: Door = Door.ALL) -> None:
    """Raise AlreadyRunning where another program listens at the server's address."""
    host, port, setting = _place(settings, door)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AlreadyRunning(
                f"The server cannot listen at {host}:{port} ({error.strerror}). "
                f"Stop what listens there, or set {setting}."
            ) from None


def serve_web(campaign: Campaign, door: Door = Door.ALL) -> None:
    """Serve until told to stop.

    One process, because the limit per network is counted in its memory. No access log: it would hold addresses.
    """
    settings = campaign.settings
    check_port_is_free(settings, door)
    host, port, _ = _place(settings, door)
    app = create_app(campaign, door)
    # The server forks: a connection that two processes share is nobody's.
    campaign.database.engine.dispose()
    _Server(
        app,
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": settings.threads,
            "keepalive": 5,
            "graceful_timeout": 10,
            "accesslog": None,
            "loglevel": "error",  # a warning about an unreadable request names its address
            "limit_request_line": 2048,
            "limit_request_fields": 60,
            "control_socket_disable": True,
        },
    ).run()
