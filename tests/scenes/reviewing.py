"""The page on which organizers review signatures."""

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import SLUG

NUMBERS = f"/organize/p/{SLUG}"


REVIEW = f"{NUMBERS}/review"


CHOICE = f"{REVIEW}/choice"


def press(client: FlaskClient, shown: TestResponse, action: str) -> TestResponse:
    """Press one of the two buttons of the page of chosen signatures."""
    html = shown.get_data(as_text=True)
    forms = re.findall(r"<form method=\"post\" action=\"[^\"]*/review\".*?</form>", html, re.DOTALL)
    (form,) = (form for form in forms if f'name="action" value="{action}"' in form)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    return client.post(REVIEW, data=fields, follow_redirects=True)
