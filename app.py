"""The application for a WSGI server (``app:app``). Run as a program, it starts the whole server on one machine."""

import sys

from campaign import logs
from campaign.errors import CampaignError
from campaign.installation.wiring import wire
from campaign.run.supervisor import run_everything
from campaign.settings import read_settings
from campaign.web.server.gunicorn import open_door

logs.install()
if __name__ == "__main__":
    try:
        sys.exit(run_everything())
    except CampaignError as error:
        sys.exit(error.sentence)
else:
    app = open_door(wire(read_settings()))
