"""QR codes: addresses that a phone reads from paper or from a screen. No other module knows the library."""

import io

import segno


def qr_svg(address: str) -> str:
    """The code as an SVG of any size, without a margin: it has to stand on white, with white around it.

    Level M: where 15 % of it are dirty or torn it can still be read.
    """
    file = io.BytesIO()
    segno.make(address, error="m", micro=False).save(file, kind="svg", border=0, xmldecl=False, omitsize=True)
    return file.getvalue().decode()
