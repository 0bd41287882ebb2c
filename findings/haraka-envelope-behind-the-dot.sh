#!/usr/bin/env bash
# Haraka announces PIPELINING, and answers 503 to an envelope that is written together with the final dot.
#
# Version: Haraka 3.3.4 (npm), Node.js 20 or newer. Its source says that the refusal is meant, as a defence.
# Expected: RFC 2920, 3.1: the text of a message may be the first "command" of a group, so that the next MAIL and RCPT may
# follow its dot in the same write.
# Seen: the first message is accepted; MAIL, in the same write as its dot, is answered "503 ... pipelined after end of
# DATA". MAIL and RCPT in one write are taken when they are sent after the dot's answer.
# For us: a client that takes the 503 for a refusal of its sender sends one mail on a connection. It has to learn this
# from the first answer and to wait for the dot's answer from then on.
#
# Fails (exit 1) as soon as Haraka behaves otherwise.
set -euo pipefail
room=$(mktemp -d)
cd "$room"
trap 'kill "$pid" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$room"' EXIT
pid=
export npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
npm init -y >/dev/null
npm install --silent --ignore-scripts Haraka@3.3.4 >/dev/null 2>&1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
node_modules/.bin/haraka -i server >/dev/null 2>&1
printf 'listen=127.0.0.1:%s\n' "$port" >server/config/smtp.ini
printf 'rcpt_to.in_host_list\nqueue/test\n' >server/config/plugins
printf 'host1.example.org\n' >server/config/host_list
TMPDIR=$room node node_modules/Haraka/bin/haraka -c server >haraka.log 2>&1 &
pid=$!
cat >run.py <<'PYTHON'
import socket
import sys
import time

port = int(sys.argv[1])
for _ in range(200):
    try:
        link = socket.create_connection(("127.0.0.1", port), timeout=20)
        break
    except OSError:
        time.sleep(0.1)
answers = link.makefile("r", encoding="ascii", newline="\r\n")


def read() -> str:
    lines = [answers.readline().rstrip()]
    while lines[-1][3:4] == "-":
        lines.append(answers.readline().rstrip())
    return " ".join(lines)


def write(*commands: str) -> None:
    link.sendall("".join(f"{command}\r\n" for command in commands).encode("ascii"))


ENVELOPE = ("MAIL FROM:<a@host2.example.org>", "RCPT TO:<b@host1.example.org>")
MAIL = ("From: a@host2.example.org", "Subject: one", "", "Hello", ".")
read()
write("EHLO client.example.org")
announced = "PIPELINING" in read()
write(*ENVELOPE, "DATA")
envelope = [read() for _ in range(3)]
write(*MAIL, *ENVELOPE)
dot, together = read(), [read() for _ in range(2)]
write(*ENVELOPE)
apart = [read() for _ in range(2)]
write("QUIT")
print("PIPELINING announced:", announced)
for name, answer in (("dot", dot), ("MAIL with the dot", together[0]), ("RCPT with the dot", together[1]),
                     ("MAIL after the dot's answer", apart[0]), ("RCPT after the dot's answer", apart[1])):
    print(f"{name}: {answer[:60]}")
as_seen = (
    announced
    and envelope[2].startswith("354")
    and dot.startswith("250")
    and together[0].startswith("503")
    and apart[0].startswith("250")
    and apart[1].startswith("250")
)
sys.exit(not as_seen)
PYTHON
python3 run.py "$port" || { tail -5 haraka.log; exit 1; }
