#!/usr/bin/env bash
# A file that odswriter writes without naming a sheet has rows, but python-calamine finds no sheet in it.
#
# Version: odswriter 0.5.0, python-calamine 0.9.1 (the reader behind pandas' engine "calamine").
# Expected: in OpenDocument 1.2 the attribute "table:name" of a table is optional, so a reader opens a table without one,
# and a writer that gives it to no table writes a file that others can still read.
# Seen: "writer.writerow(...)", the short way in odswriter's own example, writes <table:table> without a name.
# python-calamine then says that there are no sheets: no error, no rows. With "writer.new_sheet('name')" the same rows
# are read.
# For us: a sheet always has a name.
#
# Fails (exit 1) as soon as one of the two behaves otherwise.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check --no-deps odswriter==0.5.0 python-calamine==0.9.1 2>/dev/null
cat >run.py <<'PYTHON'
import sys
import zipfile

import odswriter
from python_calamine import CalamineWorkbook

with odswriter.writer(open("short.ods", "wb")) as book:
    book.writerow(["name", "Bea"])
with odswriter.writer(open("named.ods", "wb")) as book:
    book.new_sheet("list").writerow(["name", "Bea"])

written = {name: b"Bea" in zipfile.ZipFile(name).read("content.xml") for name in ("short.ods", "named.ods")}
short = CalamineWorkbook.from_path("short.ods")
named = CalamineWorkbook.from_path("named.ods")
rows = named.get_sheet_by_index(0).to_python()
print("short.ods: has the row:", written["short.ods"], "- sheets found:", short.sheet_names)
print("named.ods: has the row:", written["named.ods"], "- sheets found:", named.sheet_names, rows)
as_seen = all(written.values()) and short.sheet_names == [] and rows == [["name", "Bea"]]
sys.exit(not as_seen)
PYTHON
venv/bin/python run.py
