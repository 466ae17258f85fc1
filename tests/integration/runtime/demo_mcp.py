#!/usr/bin/env python3
"""A client of MCP over stdio (2025-11-25), as small as can be: starts a server, lists its tools, calls some.

Prints one line for each: `tools NAME…`, and of each call `TOOL RESULT`, the result in JSON.

usage: demo_mcp.py TOOL ARGUMENTS [TOOL ARGUMENTS…] -- COMMAND…
"""

import json
import subprocess
import sys


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.last = 0

    def tell(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method, params=None):
        self.last += 1
        self.tell({"id": self.last, "method": method, "params": params or {}})
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == self.last and "method" not in message:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']}")
                return message["result"]
        sys.exit(f"{method}: the server ended")

    def end(self):
        self.process.stdin.close()
        return self.process.wait(30)


def main():
    split = sys.argv.index("--")
    words, command = sys.argv[1:split], sys.argv[split + 1:]
    server = Server(command)
    begun = server.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                      "clientInfo": {"name": "demo", "version": "1"}})
    print("protocol", begun["protocolVersion"])
    server.tell({"method": "notifications/initialized"})
    print("tools", *sorted(tool["name"] for tool in server.ask("tools/list")["tools"]))
    for name, arguments in zip(words[::2], words[1::2]):
        result = server.ask("tools/call", {"name": name, "arguments": json.loads(arguments)})
        print(name, json.dumps(result))
    sys.exit(server.end())


if __name__ == "__main__":
    main()
