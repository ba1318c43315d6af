# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve one file to clients that name its checksum: serve.py FILE SHA256 ADDRESS PORT."""

import http.server
import os
import socket
import sys

FILE, NAME, ADDRESS, PORT = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/" + NAME:
            self.send_error(404)
            return
        with open(FILE, "rb") as file:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            self.connection.sendfile(file)


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET


with Server((ADDRESS, int(PORT)), Handler) as server, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    # systemd-run returns when this is sent: from then on, nodes get an answer.
    manager.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
    manager.send(b"READY=1")
    server.serve_forever()
