#!/usr/bin/env python3
"""Plays docs/operations/runtime-network.md: an agent in namespaces of its own reaches the runtime's socket and nothing else.

The commands are taken from the page as they stand there. A server on a Unix socket is in the runtime's place. What the agent
shall not reach is there, too, and is reached by the same agent outside of the namespaces: else not reaching it would show nothing.

usage: agent_network.py ROOT
exit: 0, 1 for a failure, 77 where this machine gives no namespaces (said on standard error)
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

SKIPPED = 77
SECONDS = 60
NOBODY = "65534"
BLOCK = re.compile(r"```sh skip: [^\n]*runs these very lines\n(.*?)```", re.DOTALL)

# What the agent tries: name → what to connect to. It prints name → "reached", or the error's name.
PROBE = r"""
import errno, json, socket, sys
found = {}
def attempt(name, family, kind, address):
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(20)
            s.connect(address)
            s.send(b"hello\n")
            found[name] = "reached" if s.recv(16) == b"HELLO\n" else "silence"
    except OSError as error:
        found[name] = errno.errorcode.get(error.errno, str(error))
targets = json.loads(sys.argv[1])
for name, path in targets["unix"].items():
    attempt(name, socket.AF_UNIX, socket.SOCK_STREAM, path.replace("@", "\0", 1) if path.startswith("@") else path)
for name, (family, host, port) in targets["inet"].items():
    attempt(name, getattr(socket, family), socket.SOCK_STREAM, (host, port))
if targets["outside"]:
    try: socket.getaddrinfo("example.com", 443); found["names"] = "reached"
    except OSError: found["names"] = "none"
    import os
    found["processes"] = len([name for name in os.listdir("/proc") if name.isdigit()])
    found["user"] = os.getuid()
    found["environment"] = sorted(os.environ)
    found["sockets"] = [line.split()[-1] for line in open("/proc/net/unix").readlines()[1:]]
    found["descriptors"] = [fd for fd in range(3, 256) if os.path.exists("/proc/self/fd/%d" % fd)]
print(json.dumps(found))
"""


class Echo(threading.Thread):
    """Answers each connection with what it says, in upper case."""

    def __init__(self, family, address):
        super().__init__(daemon=True)
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind(address)
        self.listener.listen(16)
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(connection.recv(16).upper())

    def port(self):
        return self.listener.getsockname()[1]


def probe(prefix, targets, environment=None):
    """What the agent finds when it is started by these words."""
    command = [*prefix, sys.executable, "-I", "-c", PROBE, json.dumps(targets)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"the agent could not be run: {done.stderr}")
    return json.loads(done.stdout)


def why_not():
    """Why this machine cannot play it; None when it can."""
    if os.geteuid() != 0:
        return "needs root"
    tried = ["unshare", "--net", "--mount", "--mount-proc", "--pid", "--ipc", "--uts", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"]
    done = subprocess.run(tried, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"this kernel or container gives no namespaces: {done.stderr.strip()}"


def expect(what, is_so):
    print(("ok: " if is_so else "FAILED: ") + what)
    return bool(is_so)


def play(recipe, folder):
    runtime = Echo(socket.AF_UNIX, str(folder / "runtime.sock"))
    daemon = Echo(socket.AF_UNIX, str(folder / "chancery.sock"))
    abstract = f"@chancery-test-{os.getpid()}"
    hidden = Echo(socket.AF_UNIX, "\0" + abstract[1:])
    servers = [runtime, daemon, hidden, Echo(socket.AF_INET, ("127.0.0.1", 0))]
    inet = {"loopback": ("AF_INET", "127.0.0.1", servers[3].port())}
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6") and Path("/proc/net/if_inet6").read_text():
        servers.append(Echo(socket.AF_INET6, ("::1", 0)))
        inet["loopback of IPv6"] = ("AF_INET6", "::1", servers[-1].port())
    for name in ("runtime.sock", "chancery.sock"):
        (folder / name).chmod(0o666)
    folder.chmod(0o755)
    unix = {"daemon": str(folder / "chancery.sock"), "abstract": abstract}
    without = probe(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"],
                    {"unix": {**unix, "runtime": str(folder / "runtime.sock")}, "inet": inet, "outside": False})
    # From here on also what is not on this machine: within there is no way to it.
    far = {"a host elsewhere": ("AF_INET", "192.0.2.1", 443), "metadata": ("AF_INET", "169.254.169.254", 80)}
    variables = {**os.environ, "SOCKET": str(folder / "runtime.sock"), "AGENT": NOBODY, "GROUP": NOBODY, "SECRET": "x"}
    within = probe(["sh", "-euc", recipe, "recipe"],
                   {"unix": {**unix, "runtime": "/run/chancery/runtime.sock"}, "inet": {**inet, **far}, "outside": True}, variables)
    for server in servers:
        server.listener.close()
    print("outside:", without, "\nwithin:", within)
    results = [expect(f"without namespaces the agent reaches: {name}", found == "reached") for name, found in without.items()]
    results.append(expect("the agent reaches the runtime", within["runtime"] == "reached"))
    for name in (*unix, *inet, *far):
        results.append(expect(f"the agent does not reach: {name}", within[name] not in ("reached", "silence")))
    results.append(expect("the agent resolves no name", within["names"] == "none"))
    results.append(expect("the agent sees its own processes alone", within["processes"] <= 2))
    results.append(expect("the agent is nobody", within["user"] == int(NOBODY)))
    results.append(expect("the agent has no environment", set(within["environment"]) <= {"PATH", "LANG", "LC_CTYPE"}))
    results.append(expect("no socket of others is seen", not any(str(folder) in name or name == abstract for name in within["sockets"])))
    results.append(expect("the agent has no descriptor of others", within["descriptors"] in ([], [3])))
    return all(results)


def main():
    page = Path(sys.argv[1]) / "docs/operations/runtime-network.md"
    found = BLOCK.search(page.read_text(encoding="utf-8"))
    if not found:
        sys.exit(f"{page} has no block that says that this test runs its lines")
    if reason := why_not():
        print(f"SKIPPED, nothing was tried: {reason}", file=sys.stderr)
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="chancery-test-") as folder:
        return 0 if play(found.group(1), Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
