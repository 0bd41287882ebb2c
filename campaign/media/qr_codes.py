"""QR codes: addresses that a phone reads from paper or from a screen. No other module knows the library."""

import io

import segno


def qr_svg(address: str) -> str:
    """The code as an SVG that can have any size. It has no margin, so it must stand on white with white around it.

    Level M of error correction: a phone can read it even if 15 % of it are dirty or torn.
    """
    file = io.BytesIO()
    segno.make(address, error="m", micro=False).save(file, kind="svg", border=0, xmldecl=False, omitsize=True)
    return file.getvalue().decode()
