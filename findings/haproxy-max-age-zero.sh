#!/usr/bin/env bash
# HAProxy's cache keeps no answer that says "max-age=0", although the answer says "s-maxage=10" too.
#
# Version: haproxy 2.6.12-1+deb12u4 (Debian 12).
# Expected: RFC 9111, 5.2.2.10: a shared cache takes s-maxage in place of max-age, whatever max-age says. HAProxy does
# so when max-age is 1: the page is kept for the seconds of s-maxage.
# Seen: with "max-age=0" the second request reaches the origin again, in either order of the two words. With "max-age=1",
# and with "s-maxage" alone, the second request is answered from the cache.
# For us: a page that everybody may keep for ten seconds says "s-maxage=10" without "max-age=0".
#
# Runs on Debian 12, amd64. Fails (exit 1) as soon as HAProxy behaves otherwise.
set -euo pipefail
room=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$room"' EXIT
cd "$room"
apt-get download -qq haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 libopentracing-c-wrapper0=1.1.3-3+b1 \
  libopentracing1=1.6.0-4 libpcre2-8-0=10.42-1+deb12u2 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done

cat >run.py <<'PYTHON'
import collections, http.client, http.server, os, socket, subprocess, sys, threading, time

asked = collections.Counter()
SAID = {
    "/zero-first": "public, max-age=0, s-maxage=10",
    "/zero-last": "public, s-maxage=10, max-age=0",
    "/one": "public, max-age=1, s-maxage=10",
    "/alone": "public, s-maxage=10",
}

class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        asked[self.path] += 1
        self.send_response(200)
        self.send_header("Cache-Control", SAID[self.path])
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"page")
    def log_message(self, *_):
        pass

class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):  # HAProxy resets connections that it needs no longer
        pass

origin = Quiet(("127.0.0.1", 0), Origin)
threading.Thread(target=origin.serve_forever, daemon=True).start()
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
with open("haproxy.cfg", "w") as file:
    file.write(f"""
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
cache pages
  total-max-size 4
  max-age 60
frontend front
  bind 127.0.0.1:{port}
  http-request cache-use pages
  http-response cache-store pages
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin.server_port}
""")
libraries = os.path.abspath("root/usr/lib/x86_64-linux-gnu")
haproxy = subprocess.Popen(
    ["root/usr/sbin/haproxy", "-db", "-f", "haproxy.cfg"], env=os.environ | {"LD_LIBRARY_PATH": libraries}
)
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    for path in SAID:
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", path)
            assert connection.getresponse().read() == b"page"
            connection.close()
finally:
    haproxy.terminate()
    haproxy.wait()
for path, said in SAID.items():
    print(f"Cache-Control: {said:32} two requests, {asked[path]} reached the origin")
sys.exit(asked != {"/zero-first": 2, "/zero-last": 2, "/one": 1, "/alone": 1})
PYTHON
python3 run.py
