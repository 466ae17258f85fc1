#!/usr/bin/env python3
"""Runs the commands that the documents show, page by page, each against a `chanceryd --dev` of its own.

A fenced block of commands says in its first line what becomes of it:

    ```sh run                     it is run, behind the blocks before it on the page, in one shell
    ```sh skip: REASON            it is not, for a reason that is about where it would have to run

What a page takes for granted stands in comments `<!-- sh` … `-->`, which are run in their place. A block `text` right
behind commands is what they print: its lines must be there in that order, and `…` stands for anything.

usage: documented.py ROOT BIN            runs every page
       documented.py --check ROOT        finds blocks that do not say what they are, and links that lead nowhere
       documented.py --self-test         fails unless planted mistakes are found
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(.*)$")
COMMENT = re.compile(r"^<!-- sh$")
INDENTED = re.compile(r"^ {4}(?:chancery|chanceryd|systemctl|apt|\./dev|curl)\b")
SKIP = re.compile(r"^sh skip: \S.{9,}$")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
BEGINS = "\x1e"  # in front of what a block prints; then the line of its first command
START_SECONDS = 60
PAGE_SECONDS = 120


@dataclass
class Block:
    line: int  # of its first command
    says: str  # behind the fence; "setup" for a comment
    text: str


def blocks_of(text):
    """The fenced blocks and set-up comments of a page, in order."""
    blocks, opened, lines = [], None, []
    for number, line in enumerate(text.splitlines(), 1):
        if opened is None:
            if match := FENCE.match(line):
                opened = Block(number + 1, match.group(1).strip(), "")
            elif COMMENT.match(line):
                opened = Block(number + 1, "setup", "")
            lines = []
        elif line == ("-->" if opened.says == "setup" else "```"):
            opened.text = "\n".join(lines)
            blocks.append(opened)
            opened = None
        else:
            lines.append(line)
    return blocks


def complaints(text):
    """What is wrong with a page: (line, text) each."""
    for block in blocks_of(text):
        if not block.says:
            yield block.line - 1, "a fenced block says what it is in: sh run, sh skip: REASON, text, toml, json"
        elif block.says.startswith("sh") and block.says != "sh run" and not SKIP.match(block.says):
            yield block.line - 1, "commands say `sh run`, or `sh skip: ` and why they cannot be run"
    for number, line in enumerate(text.splitlines(), 1):
        if INDENTED.match(line) and not line.startswith("    " * 2):
            if not any(b.line <= number < b.line + b.text.count("\n") + 1 for b in blocks_of(text)):
                yield number, "commands stand in a fenced block, so that it can say whether they are run"


def dead_links(folder, text):
    """Links to files that are not there: (line, text) each."""
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if not (folder / target).exists():
                yield number, f"{target} is not there"


def script_of(page, blocks):
    """One shell script of a page: where a command fails, it says which block that was in."""
    out = ["set -euo pipefail", "shopt -s expand_aliases", "trap 'echo \"failed: $WHERE\" >&2' ERR"]
    for block in blocks:
        if block.says in ("sh run", "setup"):
            out += [f"WHERE='{page}:{block.line}'", f"echo '{BEGINS}{block.line}'", block.text]
    return "\n".join(out) + "\n"


def not_printed(blocks, output):
    """The lines that a page shows and its commands did not print: (line, text) each."""
    printed = {}
    for part in output.split(BEGINS)[1:]:
        line, _, text = part.partition("\n")
        printed[int(line)] = text.splitlines()
    for commands, shown in zip(blocks, blocks[1:]):
        if commands.says != "sh run" or shown.says != "text":
            continue
        rest = iter(printed.get(commands.line, []))
        for number, line in enumerate(shown.text.splitlines(), shown.line):
            # How columns are filled up depends on what stands in them.
            words = r"\s+".join(re.escape(word).replace("…", ".*") for word in line.split())
            if not any(re.search(words, candidate) for candidate in rest):
                yield number, line
                break


def start_daemon(binaries, folder):
    """A development daemon, and the variables by which it is found."""
    output = folder / "daemon.out"
    with output.open("wb") as sink:
        daemon = subprocess.Popen([binaries / "chanceryd", "--dev"], stdout=sink, stderr=subprocess.STDOUT,
                                  env={**os.environ, "TMPDIR": str(folder)})
    # The last line that it says of itself; waiting for its end, which does not come, is the clock.
    for _ in range(START_SECONDS * 20):
        said = dict(re.findall(r"^export (\w+)=(.+)$", output.read_text(), re.MULTILINE))
        if "CHANCERY_CACERT" in said:
            return daemon, said
        try:
            daemon.wait(0.05)
            break
        except subprocess.TimeoutExpired:
            pass
    daemon.kill()
    sys.exit(f"chanceryd --dev does not start: {output.read_text()}")


def run_page(root, binaries, page, blocks):
    with tempfile.TemporaryDirectory(prefix="doc-") as name:
        folder = Path(name)
        (folder / "build").mkdir()
        (folder / "build/bin").symlink_to(binaries)
        daemon, said = start_daemon(binaries, folder)
        # Without those of the developer: sockets, contexts, trust.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CHANCERY_")}
        variables = {**kept, **said, "HOME": name, "XDG_CONFIG_HOME": f"{name}/config",
                     "PATH": f"{binaries}:{os.environ['PATH']}", "NO_COLOR": "1"}
        try:
            status, output = run_script(script_of(page, blocks), folder, variables)
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
        missing = list(not_printed(blocks, output)) if status == 0 else []
        if status != 0 or missing:
            print(output.replace(BEGINS, f"{page}:"))
        for line, text in missing:
            print(f"{page}:{line}: the commands above did not print: {text}")
        return status == 0 and not missing


def run_script(script, folder, variables):
    """Its exit status, and what it printed. What it started and left running is ended with it."""
    shell = subprocess.Popen(["bash", "-c", script], cwd=folder, env=variables, text=True, start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = shell.communicate(timeout=PAGE_SECONDS)
        return shell.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        return 1, shell.communicate()[0] + f"not done after {PAGE_SECONDS} s\n"
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def pages_of(root):
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def check(root):
    wrong = 0
    for page in pages_of(root):
        text = page.read_text(encoding="utf-8")
        for line, what in [*complaints(text), *dead_links(page.parent, text)]:
            print(f"{page.relative_to(root)}:{line}: {what}")
            wrong += 1
    return wrong == 0


def run_all(root, binaries):
    good, ran = True, 0
    for page in pages_of(root):
        blocks = blocks_of(page.read_text(encoding="utf-8"))
        count = sum(block.says == "sh run" for block in blocks)
        if count == 0:
            continue
        ran += count
        name = page.relative_to(root)
        passed = run_page(root, binaries, name, blocks)
        print(f"{name}: {count} blocks {'run' if passed else 'FAILED'}")
        good = good and passed
    return good and ran > 0


def self_test():
    planted = {
        "unmarked block": "```\nchancery status\n```\n",
        "commands without a word": "```sh\nchancery status\n```\n",
        "skipped without a reason": "```sh skip:\nchancery status\n```\n",
        "indented commands": "text\n\n    chancery status\n",
    }
    missed = [name for name, text in planted.items() if not list(complaints(text))]
    fine = "```sh run\nchancery status\n```\n```sh skip: needs a second machine\nx\n```\n<!-- sh\ny\n-->\n```json\n{}\n```\n"
    if list(complaints(fine)):
        missed.append("a good page is good")
    if not list(dead_links(Path(__file__).parent, "[a](https://example.org/) [b](nothing.md#there)")):
        missed.append("a dead link")
    page = blocks_of("```sh run\necho one; echo b; echo c\n```\n\n```text\n… on…\nc\nb\n```\n")
    if list(not_printed(page, f"{BEGINS}2\n is one\nb\nc\n")) != [(8, "b")]:
        missed.append("a line that is shown and was printed before the one above it")
    failing = subprocess.run(["bash", "-c", script_of("p.md", blocks_of("```sh run\ntrue\nfalse\ntrue\n```\n"))],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if failing.returncode == 0 or "failed: p.md:2" not in failing.stderr:
        missed.append("a command that fails")
    print("\n".join(missed))
    return not missed


def main():
    if sys.argv[1] == "--self-test":
        sys.exit(0 if self_test() else 1)
    if sys.argv[1] == "--check":
        sys.exit(0 if check(Path(sys.argv[2])) else 1)
    sys.exit(0 if run_all(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()) else 1)


if __name__ == "__main__":
    main()
