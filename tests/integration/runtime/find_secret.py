#!/usr/bin/env python3
"""Looks for a secret, in all forms in which it may have been written, in a process's environment, arguments and memory and in
all files below folders. What is looked for beside it must be found by the same search, or finding nothing would show nothing.

usage: find_secret.py SECRET_FILE CONTROL_FILE PID FOLDER…
exit: 0 when the secret is nowhere; what was searched is told
"""

import base64
import sys
from pathlib import Path


def forms_of(secret):
    forms = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for upper in (False, True):
        digits = ["%02X" % octet if upper else "%02x" % octet for octet in secret]
        forms |= {"".join("%" + d for d in digits).encode(), "".join("\\u00" + d for d in digits).encode()}
    for before in range(3):  # of base64, what is the same wherever in a longer text the secret stands
        encoded = base64.b64encode(b"\0" * before + secret)
        inside = encoded[before + 1 if before else 0:(before + len(secret)) * 8 // 6]
        forms |= {inside, inside.translate(bytes.maketrans(b"+/", b"-_"))}
    return forms


def memory_of(process):
    """Its readable mappings."""
    with open(process / "maps", encoding="utf-8") as maps, open(process / "mem", "rb", 0) as memory:
        for line in maps:
            span, permissions = line.split()[:2]
            begin, end = (int(number, 16) for number in span.split("-"))
            if not permissions.startswith("r") or "[v" in line:
                continue
            try:
                memory.seek(begin)
                yield memory.read(end - begin)
            except OSError:
                continue


def main():
    secret, control = (Path(name).read_bytes().strip() for name in sys.argv[1:3])
    process = Path("/proc") / sys.argv[3]
    files = [file for folder in sys.argv[4:] for file in Path(folder).rglob("*") if file.is_file()]
    places = {str(file): file.read_bytes() for file in (process / "environ", process / "cmdline", *files)}
    memory = list(memory_of(process))
    forms = forms_of(secret)
    found = [name for name, text in places.items() if any(form in text for form in forms)]
    if any(form in text for text in memory for form in forms):
        found.append("its memory")
    if not any(control in text for text in memory):
        sys.exit("the search does not find what the process has: its chain")
    if found:
        sys.exit(f"the credential is in {found}")
    megabytes = sum(map(len, memory)) / 1e6
    print(f"{len(forms)} forms of it are in none of {len(places)} places and {megabytes:.0f} MB of memory")


if __name__ == "__main__":
    main()
