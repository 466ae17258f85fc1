#!/usr/bin/env python3
"""The agent of `./dev demo runtime`: a program that `chancery run` gave a session, and no credential of any tool.

It does what it is told, as an injected one would, and keeps every answer in memory as a model's context is. On standard input
each line is the file for an answer, a tool and its arguments in JSON; the tool `list` lists the tools. The answer's first line
is the HTTP status, the second the body.

usage, within `chancery run`: demo_agent.py CHANCERY RUNTIME_SOCKET URL
"""

import ctypes
import http.client
import json
import os
import socket
import subprocess
import sys


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("runtime", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Agent:
    def __init__(self, chancery, runtime, url):
        self.chancery, self.runtime, self.url = chancery, runtime, url
        self.context = []  # all that it was ever answered
        self.scopes = {}

    def present(self, method, path, action):
        """The headers that show its session: its chain, and a proof for this request, and this action alone."""
        words = [self.chancery, "present", "--htm", method, "--htu", self.url + path, *action]
        descriptor = int(os.environ["CHANCERY_SESSION_FD"])
        told = subprocess.run(words, capture_output=True, text=True, check=True, pass_fds=(descriptor,)).stdout
        return dict(line.split(": ", 1) for line in told.splitlines())

    def send(self, method, path, action=(), body=None):
        headers = self.present(method, path, action)
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = UnixConnection(self.runtime)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        self.context.append(text)
        return answer.status, text

    def list_tools(self):
        status, text = self.send("GET", "/v1/tools")
        if status == 200:
            self.scopes = {tool["name"]: tool["scope"] for tool in json.loads(text)["tools"]}
        return status, text

    def call(self, tool, arguments):
        if not self.scopes:
            self.list_tools()
        action = ["--scope", self.scopes.get(tool, "none")]
        for name, value in arguments.items():
            action += ["--param", f"{name}={json.dumps(value)}"]
        return self.send("POST", "/v1/tools/" + tool, action, json.dumps({"arguments": arguments}))


def let_itself_be_looked_into():
    """Who plays the demo reads its memory, which Yama keeps from users that are not root (PR_SET_PTRACER, anybody)."""
    ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)


def main():
    let_itself_be_looked_into()
    agent = Agent(*sys.argv[1:4])
    for line in sys.stdin:
        answer, tool, arguments = line.split(" ", 2)
        status, text = agent.list_tools() if tool == "list" else agent.call(tool, json.loads(arguments))
        with open(answer + ".part", "w", encoding="utf-8") as out:
            out.write(f"{status}\n{text}\n")
        os.rename(answer + ".part", answer)


if __name__ == "__main__":
    main()
