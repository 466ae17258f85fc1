#!/usr/bin/env python3
"""Runs a program on a terminal of its own, and answers the one question that it asks there, as a person at the keyboard does.

What the program shows is passed on. The exit status is the program's; it is an error if it did not ask.

usage: on_terminal.py QUESTION ANSWER -- COMMAND…
"""

import os
import pty
import select
import sys

PATIENCE_SECONDS = 30


def converse(terminal, question, answer):
    """Shows what comes over the terminal until the program has ended; whether the question was asked."""
    shown, is_answered = b"", False
    while select.select([terminal], [], [], PATIENCE_SECONDS)[0]:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # EIO: the program has ended, and nobody has the other side
            return is_answered
        shown += part
        sys.stdout.buffer.write(part.replace(b"\r", b""))
        sys.stdout.buffer.flush()
        if not is_answered and question in shown:
            os.write(terminal, answer + b"\n")
            is_answered = True
    sys.exit(f"{PATIENCE_SECONDS} s went by, and it says nothing")


def main():
    split = sys.argv.index("--")
    question, answer = (word.encode() for word in sys.argv[1:split])
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
    is_answered = converse(terminal, question, answer)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not is_answered:
        sys.exit(f"it did not ask, and ended with {status}")
    sys.exit(status)


if __name__ == "__main__":
    main()
