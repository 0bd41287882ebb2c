"""The web server: one process, some threads."""

import logging
import os
import signal
import socket
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from campaign.errors import AlreadyRunning
from campaign.installation.wiring import Installation
from campaign.settings import Settings
from campaign.web.app import create_app
from campaign.web.core.sites import Door
from campaign.web.server.slow_clients import PatientWorker

_FORGET_WITHIN = 3.0


class _OurLog(Logger):
    """Writes gunicorn's own log lines where ours are written, in the same form (campaign.logs)."""

    def setup(self, cfg: Config) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.ERROR)  # gunicorn warns only about requests that could not be read


class _Server(BaseApplication):
    def __init__(self, installation: Installation, door: Door, options: dict[str, Any]) -> None:
        self._installation = installation
        self._door = door
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return open_door(self._installation, self._door)


def open_door(installation: Installation, door: Door = Door.ALL) -> Flask:
    """The application, in a process that ends when the server is locked or unlocked; another process is then started.

    Python cannot erase a key from its memory, so the whole process ends.
    """
    app = create_app(installation, door)
    installation.lock.call_when_turned(_end_this_process, was_on="keyless" in app.extensions)
    return app


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)  # requests that are being answered may finish
    time.sleep(_FORGET_WITHIN)
    os._exit(0)


def _place(settings: Settings, door: Door) -> tuple[str, int, str]:
    """The address at which a door's server listens, and the setting for it."""
    if door is Door.ORGANIZERS:
        return settings.organize_host, settings.organize_port, "CAMPAIGN_ORGANIZE_PORT"
    return settings.host, settings.port, "CAMPAIGN_PORT"


def check_port_is_free(settings: Settings, door: Door = Door.ALL) -> None:
    """Raise AlreadyRunning if another program listens at the server's address."""
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


def serve_web(installation: Installation, door: Door = Door.ALL) -> None:
    """Serve until told to stop.

    One process, because the limit per network is counted in its memory. No access log: it would hold addresses.
    """
    settings = installation.settings
    check_port_is_free(settings, door)
    host, port, _ = _place(settings, door)
    # The server forks, and two processes must not share a connection. The child makes the application, so that this
    # process, which lives longer, has no key.
    installation.database.engine.dispose()
    _Server(
        installation,
        door,
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
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
            # The server itself believes no header about the address, the scheme or the mount point of the program:
            # ProxyFix alone decides, by CAMPAIGN_TRUSTED_PROXIES. By default it believes all from this machine,
            # and behind a local proxy every visitor seems to be this machine.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
        },
    ).run()
