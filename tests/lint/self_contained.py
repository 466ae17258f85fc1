#!/usr/bin/env python3
"""Compiles each header alone that no source file proves to stand on its own by including it first.

usage: self_contained.py ROOT COMPILER
       self_contained.py --self-test COMPILER fails unless a header that leans on others is found
"""

import functools
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDERS = ("sdk", "attest", "hsm", "daemon", "simulators")
# Of libraries whose headers stand in a folder of their own.
PACKAGES = ("p11-kit-1",)
FIRST_INCLUDE = re.compile(r'^#include [<"]([^>"]+)[>"]', re.MULTILINE)


def first_includes(root):
    """What some source file includes before anything else."""
    found = set()
    for folder in FOLDERS:
        for source in (root / folder).rglob("*.cpp"):
            include = FIRST_INCLUDE.search(source.read_text(encoding="utf-8"))
            if include:
                found.add(include.group(1))
    return found


def spelling(path):
    return path.removeprefix("sdk/include/")


def unproven_headers(root):
    proven = first_includes(root)
    headers = [h.relative_to(root).as_posix() for folder in FOLDERS for h in (root / folder).rglob("*.hpp")]
    return sorted(header for header in headers if spelling(header) not in proven)


@functools.cache
def package_flags():
    command = ["pkg-config", "--cflags-only-I", *PACKAGES]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def compile_alone(root, compiler, header):
    # Twice: a header without its guard fails as well.
    text = f'#include "{spelling(header)}"\n' * 2
    command = [compiler, "-std=c++20", "-fsyntax-only", "-x", "c++", "-I", ".", "-I", "sdk/include"]
    command += [*package_flags(), "-"]
    run = subprocess.run(command, cwd=root, input=text, capture_output=True, text=True)
    return f"{header} does not compile alone:\n{run.stderr}" if run.returncode else None


def violations(root, compiler):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = pool.map(lambda header: compile_alone(root, compiler, header), unproven_headers(root))
        return [complaint for complaint in complaints if complaint]


def self_test(compiler):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "sdk").mkdir()
        (root / "sdk/whole.hpp").write_text("#pragma once\n#include <string>\ninline std::string a;\n")
        (root / "sdk/leaning.hpp").write_text("#pragma once\ninline std::string b;\n")
        (root / "sdk/proven.hpp").write_text("#pragma once\n")
        (root / "sdk/proven.cpp").write_text('#include "sdk/proven.hpp"\n')
        unproven, found = unproven_headers(root), violations(root, compiler)
    if unproven != ["sdk/leaning.hpp", "sdk/whole.hpp"]:
        return [f"took for unproven: {unproven}"]
    if len(found) != 1 or not found[0].startswith("sdk/leaning.hpp"):
        return [f"found {found}"]
    return []


def main():
    compiler = sys.argv[2]
    problems = self_test(compiler) if sys.argv[1] == "--self-test" else violations(Path(sys.argv[1]), compiler)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
