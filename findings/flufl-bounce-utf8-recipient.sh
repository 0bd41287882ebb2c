#!/usr/bin/env bash
# flufl.bounce finds no failed address in a report whose recipient has the type "utf-8" (RFC 6533).
#
# Version: flufl.bounce 6.0.0 (with atpublic 9.0.0).
# Expected: RFC 6533, 3 and 4: a server that takes SMTPUTF8 reports a failed mail as message/global-delivery-status,
# with "Final-Recipient: utf-8; ADDRESS". Postfix 3.7 does so for each mail that was sent with SMTPUTF8. The fields are
# those of RFC 3464.
# Seen: "rfc822; nobody@..." in message/delivery-status is found. The same ASCII address with the type "utf-8", and the
# part message/global-delivery-status with either type, give neither a permanent nor a temporary failure.
# For us: reports are read by the standard library first, which parses the part as fields once it is told to.
#
# Fails (exit 1) as soon as flufl.bounce behaves otherwise.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check --no-deps flufl.bounce==6.0.0 atpublic==9.0.0 2>/dev/null
cat >run.py <<'PYTHON'
import email
import sys

from flufl.bounce import all_failures

REPORT = """From: MAILER-DAEMON@mx.example.org
To: bounces@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

The mail could not be delivered.
--b
Content-Type: message/{kind}

Reporting-MTA: dns; mx.example.org

Final-Recipient: {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b--
"""
wrong = 0
for kind, recipient, found in (
    ("delivery-status", "rfc822; nobody@example.org", True),
    ("delivery-status", "utf-8; nobody@example.org", False),
    ("global-delivery-status", "rfc822; nobody@example.org", False),
    ("global-delivery-status", "utf-8; nobody@example.org", False),
    ("global-delivery-status", "utf-8; никто@пример.example.org", False),
):
    report = email.message_from_bytes(REPORT.format(kind=kind, recipient=recipient).encode())
    temporary, permanent = all_failures(report)
    wrong += bool(permanent) != found or bool(temporary)
    print(f"message/{kind:22} {recipient:32} permanent: {sorted(permanent)} temporary: {sorted(temporary)}")
sys.exit(bool(wrong))
PYTHON
venv/bin/python run.py
