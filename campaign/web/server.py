"""The web server: one process, some threads."""

import logging
import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from campaign.errors import AlreadyRunning
from campaign.settings import Settings
from campaign.web import create_app
from campaign.web.patience import PatientWorker
from campaign.wiring import Campaign


class _OurLog(Logger):
    """gunicorn's own lines go where ours go, in the same form (campaign.logs)."""

    def setup(self, cfg: Config) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.ERROR)  # a warning is no more than a request that could not be read


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


def check_port_is_free(settings: Settings) -> None:
    """Raise AlreadyRunning where another program listens at the server's address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise AlreadyRunning(
                f"The server cannot listen at {settings.host}:{settings.port} ({error.strerror}). "
                "Stop what listens there, or set CAMPAIGN_PORT."
            ) from None


def serve_web(campaign: Campaign) -> None:
    """Serve until told to stop.

    One process, because the limit per network is counted in its memory. No access log: it would hold addresses.
    """
    settings = campaign.settings
    check_port_is_free(settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    app = create_app(campaign)
    # The server forks: a connection that two processes share is nobody's.
    campaign.database.engine.dispose()
    _Server(
        app,
        {
            "bind": f"{host}:{settings.port}",
            "workers": 1,
            "worker_class": PatientWorker,
            "threads": settings.threads,
            "keepalive": 5,
            "graceful_timeout": 10,
            "accesslog": None,
            "logger_class": _OurLog,
            "limit_request_line": 2048,
            "limit_request_fields": 60,
            "control_socket_disable": True,
        },
    ).run()
