"""The HTML of a mail as an answer: for a frame in one of our pages, or by itself."""

from flask import Response, make_response


def mail_in_frame(html: str) -> Response:
    """The answer. Nothing works in it but the mail's own styles; links open in the window around the frame."""
    answer = make_response(html)
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self';"
        " sandbox allow-top-navigation-by-user-activation"
    )
    return answer
