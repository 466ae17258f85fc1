#!/usr/bin/env python3
"""Prints what a server on a Unix socket answers to a GET, as curl --unix-socket does: unix_get.py SOCKET PATH"""

import http.client
import socket
import sys

connection = http.client.HTTPConnection("localhost", timeout=30)
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.settimeout(30)
connection.sock.connect(sys.argv[1])
connection.request("GET", sys.argv[2])
sys.stdout.write(connection.getresponse().read().decode())
