#!/usr/bin/env python3
"""Writes the linker's version script of libchancery: what the public headers declare is exported, nothing else.

usage: exports.py VERSION_NODE OUTPUT ARCHIVE... -- HEADER...
"""

import re
import subprocess
import sys
from pathlib import Path

NAMESPACE = re.compile(r"^namespace (chancery(?:::\w+)*) \{")
TYPE = re.compile(r"^(?:class|struct)(?: \[\[nodiscard\]\])? (\w+)")
# Declarations begin at the margin: that is how clang-format writes them.
FUNCTION = re.compile(r"^(?:\[\[nodiscard\]\] )?[\w:<>,*& ]+?[ &*](\w+)\(")
NO_FUNCTION = ("using ", "template", "struct ", "class ", "enum ", "namespace ", "constexpr", "return ")
# What belongs to a type without being a member by its name.
ABOUT_TYPE = re.compile(r"^(?:typeinfo|typeinfo name|vtable) for ")


def declared(headers):
    """The qualified names of the types, and of the functions, that the headers declare."""
    types, functions = set(), set()
    for header in headers:
        namespace = "chancery"
        for line in Path(header).read_text(encoding="utf-8").splitlines():
            if match := NAMESPACE.match(line):
                namespace = match.group(1)
            elif match := TYPE.match(line):
                types.add(f"{namespace}::{match.group(1)}")
            elif not line.startswith(NO_FUNCTION) and (match := FUNCTION.match(line)):
                functions.add(f"{namespace}::{match.group(1)}")
    return types, functions


def defined(archives):
    """The external symbols of the archives: pairs of the linker's name and the programmer's."""
    lines = subprocess.run(["nm", "--defined-only", "--extern-only", "--format=posix", *archives], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    mangled = sorted({line.split()[0] for line in lines if line.startswith("_Z")})
    plain = subprocess.run(["c++filt"], input="\n".join(mangled), check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return zip(mangled, plain)


def is_instance(name):
    """Whether it is a function template's instance: these alone are shown with the type that they return."""
    depth = 0
    for at, character in enumerate(name):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if depth == 0 and character in " (":
            return character == " " and "operator" not in name[:at]
    return False


def is_public(name, types, functions):
    if ABOUT_TYPE.match(name):
        return ABOUT_TYPE.sub("", name) in types
    if is_instance(name):
        return False
    qualified = re.match(r"[\w:~]+", name)
    if not qualified:
        return False
    parts = qualified.group(0).split("::")
    return qualified.group(0) in functions or any("::".join(parts[:end]) in types for end in range(2, len(parts)))


def main():
    node, output, files = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    border = files.index("--")
    types, functions = declared(files[border + 1 :])
    names = [mangled for mangled, name in defined(files[:border]) if is_public(name, types, functions)]
    listed = "\n".join(f"    {name};" for name in names)
    output.write_text(f"{node} {{\n  global:\n{listed}\n  local:\n    *;\n}};\n", encoding="utf-8")


if __name__ == "__main__":
    main()
