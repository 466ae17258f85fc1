#!/usr/bin/env python3
"""The world of an attacker with a name server of his own, in a network namespace: a name whose address he changes at will.

Makes the namespace's addresses, serves names on port 53 and HTTP on the attacker's public address and on the loopback, then
becomes the program that it is given, which resolves names there as on any machine.

In FOLDER, `address` holds the addresses that the name has at the moment, one a line; `closed` has the public server close its
connections and take no more. Into `asked` goes each question, into `seen` each request: the server's address, the path, and
the value of Authorization.

usage, within `unshare --net --mount`: rebinding.py FOLDER PUBLIC PORT PROGRAM…
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

SIOCSIFADDR, SIOCSIFFLAGS, SIOCSIFNETMASK = 0x8916, 0x8914, 0x891C
IFF_UP_RUNNING = 0x1 | 0x40
TYPE_A = 1


def add_address(name, address):
    """Gives an interface an address, and takes it up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        def set_to(request, text):
            fcntl.ioctl(control, request, struct.pack("16sHH4s8s", name.encode(), socket.AF_INET, 0, socket.inet_aton(text), b""))
        set_to(SIOCSIFADDR, address)
        if address != "127.0.0.1":
            set_to(SIOCSIFNETMASK, "255.255.255.255")
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14s", name.encode(), IFF_UP_RUNNING, b""))


def use_name_server(folder):
    """This namespace's own resolv.conf and nsswitch.conf; nobody else sees them."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"), ("nsswitch.conf", "hosts: dns\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
        subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)


def answer_to(question, addresses):
    """The answer to a query (RFC 1035): these addresses, to be kept for no time at all; of other types none."""
    end = question.index(0, 12) + 5
    kind = struct.unpack(">H", question[end - 4:end - 2])[0]
    records = [socket.inet_aton(address) for address in addresses] if kind == TYPE_A else []
    header = question[:2] + struct.pack(">HHHHH", 0x8580, 1, len(records), 0, 0)
    return header + question[12:end] + b"".join(struct.pack(">HHHIH", 0xC00C, TYPE_A, 1, 0, 4) + r for r in records)


def serve_names(folder, bound):
    while True:
        question, peer = bound.recvfrom(4096)
        addresses = (folder / "address").read_text().split()
        with open(folder / "asked", "a", encoding="ascii") as asked:
            asked.write(" ".join(addresses) + "\n")
        bound.sendto(answer_to(question, addresses), peer)


def read_request(peer):
    text = b""
    while b"\r\n\r\n" not in text:
        got = peer.recv(65536)
        if not got:
            return None
        text += got
    head, _, body = text.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", "0")):
        body += peer.recv(65536)
    return lines[0].split()[1], headers


def talk(folder, address, peer):
    with peer:
        while request := read_request(peer):
            path, headers = request
            with open(folder / "seen", "a", encoding="latin-1") as seen:
                seen.write(f"{address} {path} {headers.get('authorization', '-')}\n")
            body = b'{"id":"from-%s"}' % address.encode()
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            if (folder / "closed").exists():
                return


def serve_http(folder, address, listener):
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=talk, args=(folder, address, peer), daemon=True).start()


def play_world(folder, servers, names, parent):
    """Serves until the program is gone that this process's parent has become."""
    threading.Thread(target=serve_names, args=(folder, names), daemon=True).start()
    for address, listener in servers.items():
        threading.Thread(target=serve_http, args=(folder, address, listener), daemon=True).start()
    public = next(iter(servers.values()))
    while os.getppid() == parent:
        if (folder / "closed").exists() and public.fileno() >= 0:
            public.shutdown(socket.SHUT_RDWR)
            public.close()
            (folder / "is-closed").touch()
        time.sleep(0.02)
    os._exit(0)


def main():
    folder, public, port, program = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    add_address("lo", "127.0.0.1")
    add_address("lo:1", public)
    use_name_server(folder)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    servers = {address: socket.create_server((address, port)) for address in (public, "127.0.0.1")}
    parent = os.getpid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        play_world(folder, servers, names, parent)
    for bound in (names, *servers.values()):
        bound.close()
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
