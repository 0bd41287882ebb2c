#!/usr/bin/env bash
# A PDF by typst gives a letter twice when it is read or searched, if its font draws letter and mark as two glyphs.
#
# Version: typst 0.15.2 (Python package); readers: pypdf 7.1.1, pypdfium2 5.15.2.
# Expected: ISO 32000-1, 9.10.3: the ToUnicode table of a font says once what each glyph stands for, so that "Q̇" is read
# as two code points, as it was written.
# Seen: "Q" with U+0307 and "g" with U+0303, for which the font has no glyph of their own, come back as "Q̇Q̇" and "g̃g̃"
# from both readers: both glyphs are said to mean the whole pair. "á" (a glyph of its own) comes back once.
# For us: names on printed lists that are written with such marks cannot be searched in the PDF; the CSV has them right.
#
# Fails (exit 1) as soon as typst behaves otherwise.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check --no-deps typst==0.15.2 pypdf==7.1.1 pypdfium2==5.15.2 2>/dev/null
cat >run.py <<'PYTHON'
import sys
import unicodedata

import pypdf
import pypdfium2
import typst

wrong = 0
for written, times in (("Q\u0307", 2), ("g\u0303", 2), ("a\u0301", 1), ("Қ", 1)):
    typst.compile(f"#set page(width: 90pt, height: 60pt)\n{written}".encode(), output="page.pdf")
    texts = (
        pypdf.PdfReader("page.pdf").pages[0].extract_text(),
        pypdfium2.PdfDocument("page.pdf")[0].get_textpage().get_text_bounded(),
    )
    for reader, text in zip(("pypdf", "pypdfium2"), texts, strict=True):
        seen = unicodedata.normalize("NFC", text).count(unicodedata.normalize("NFC", written))
        wrong += seen != times
        print(f"written {written}, read by {reader}: {text.split()[0]} ({seen} times)")
sys.exit(bool(wrong))
PYTHON
venv/bin/python run.py
