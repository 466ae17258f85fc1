#!/usr/bin/env python3
"""Rules of the house that are about files as such.

usage: house_rules.py ROOT        fails on any file that breaks one
       house_rules.py --self-test fails unless each rule finds what is planted for it
"""

import re
import sys
import tempfile
from pathlib import Path

FOLDERS = ("sdk", "attest", "hsm", "daemon", "simulators", "tests")
SOURCES = {".cpp", ".hpp", ".py", ".sh", ".cmake"}
LONGEST = 700  # lines: beyond it a file does more than one job
# In two parts, so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
SHAPELESS = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)(_|$)")


def names_no_job(path, lines):
    return "its name says no job" if SHAPELESS.search(path.stem) else None


def is_unfinished(path, lines):
    marked = [number for number, line in enumerate(lines, 1) if UNFINISHED.search(line)]
    return f"line {marked[0]} is marked as unfinished" if marked else None


def is_too_long(path, lines):
    return f"it has {len(lines)} lines: divide it" if len(lines) > LONGEST else None


def lacks_guard(path, lines):
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        return "it lacks #pragma once"
    return None


def uses_namespace_in_header(path, lines):
    if path.suffix == ".hpp" and any(re.match(r"\s*using namespace\b", line) for line in lines):
        return "a header may not say `using namespace`"
    return None


RULES = (names_no_job, is_unfinished, is_too_long, lacks_guard, uses_namespace_in_header)


def violations(root):
    found = []
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SOURCES or not file.is_file():
                continue
            lines = file.read_text(encoding="utf-8").splitlines()
            complaints = [rule(file, lines) for rule in RULES]
            found += [f"{file.relative_to(root)}: {text}" for text in complaints if text]
    return found


# A file, its text, and a part of the complaint; None where there is none.
PLANTED = [
    ("sdk/base/hex.hpp", "#pragma once\n", None),
    ("sdk/base/hex.cpp", "int miscellany;\n", None),
    ("sdk/base/string_util.cpp", "", "says no job"),
    ("daemon/edge/helpers.hpp", "#pragma once\n", "says no job"),
    ("daemon/edge/commonplace.hpp", "#pragma once\n", None),
    ("hsm/tpm/a.cpp", "// TO" "DO: later\n", "line 1 is marked as unfinished"),
    ("tests/unit/b.cpp", "int a;\n// FIX" "ME\n", "line 2 is marked as unfinished"),
    ("daemon/c.hpp", "int a;\n", "lacks #pragma once"),
    ("daemon/d.hpp", "#pragma once\nusing namespace std;\n", "using namespace"),
    ("daemon/e.cpp", "\n" * (LONGEST + 1), "divide it"),
    ("daemon/f.cpp", "\n" * LONGEST, None),
]


def self_test():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for path, text, _ in PLANTED:
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        found = violations(Path(folder))
    for path, _, want in PLANTED:
        said = [line for line in found if line.startswith(path + ": ")]
        if want is None and said or want is not None and not any(want in line for line in said):
            failures.append(f"{path}: wanted {want!r}, found {said}")
    return failures


def main():
    problems = self_test() if sys.argv[1:] == ["--self-test"] else violations(Path(sys.argv[1]))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
