#!/usr/bin/env bash
# GMime drops the end of a subject if its base64 encoded words are not a multiple of three bytes long.
#
# Version: GMime 3.2.13+dfsg-2 (Debian 12), the library of Balsa, Geary and notmuch.
# Expected: RFC 2047, section 2: each encoded word is decoded by itself; section 5 (1): white space between two of them
# is dropped. "Жеке бетіңіздің сілтемесі" comes out whole, wherever the text was divided between letters.
# Seen: if the first word ends with "=" padding, nothing behind the padding is shown: "Жеке бетіңіздің сілт". If the
# first word holds a multiple of three bytes, the same text is whole. The same text in Q encoding is whole.
# For us: each base64 word but the last holds a multiple of three bytes.
#
# Runs on Debian 12, amd64. Fails (exit 1) as soon as GMime behaves otherwise.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
apt-get download -qq libgmime-3.0-0=3.2.13+dfsg-2 2>/dev/null
# What the library needs, in the versions of this Debian: they are not what is looked at.
apt-get download -qq libglib2.0-0 libgpgme11 libassuan0 libgpg-error0 libidn2-0 libunistring2 libpcre2-8-0 libffi8 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done

cat >run.py <<'PYTHON'
import base64, ctypes, quopri, sys

TEXT = "Жеке бетіңіздің сілтемесі"
gmime = ctypes.CDLL("libgmime-3.0.so.0")
gmime.g_mime_utils_header_decode_text.restype = ctypes.c_char_p
gmime.g_mime_utils_header_decode_text.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64]
gmime.g_mime_init()


def decode(*words: str) -> str:
    return gmime.g_mime_utils_header_decode_text(None, " ".join(words).encode(), None, -1).decode()


def b(text: str) -> str:
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


def q(text: str) -> str:
    coded = "".join(f"={byte:02X}" for byte in text.encode())
    return f"=?utf-8?q?{coded}?="


wrong = 0
for at in range(1, len(TEXT)):
    first, second = TEXT[:at], TEXT[at:]
    padded = len(first.encode()) % 3 != 0
    seen = decode(b(first), b(second))
    wrong += (seen == TEXT) is padded or decode(q(first), q(second)) != TEXT
    print(f"base64, {len(first.encode()):2} bytes + {len(second.encode()):2} bytes: {seen}")
sys.exit(bool(wrong))
PYTHON
LD_LIBRARY_PATH=$room/root/usr/lib/x86_64-linux-gnu:$room/root/lib/x86_64-linux-gnu python3 run.py
