"""The HTML of a mail, to be shown in a frame of one of our pages or by itself."""

from flask import Response, make_response


def mail_in_frame(html: str) -> Response:
    """An answer in which styles inside the mail are all there is; links open in the window around the frame."""
    answer = make_response(html)
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self';"
        " sandbox allow-top-navigation-by-user-activation"
    )
    return answer
