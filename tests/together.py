#!/usr/bin/env python3
"""Tells which source files can be compiled together, as one.

usage: together.py ROOT MOST FOLDER <FILES   lines `GROUP FILE`, a name below ROOT, of files that are neighbours in a GROUP
       together.py --self-test

Leaves files FOLDER/GROUP_NUMBER.cpp that include the files of a part, and no others. The files of a part have no name in
common in their unnamed namespaces, and none there that a header of their folder gives to a type; they are MOST at most. It
goes by the form that clang-format gives to our code: what a namespace declares begins at the beginning of a line.
"""

import re
import sys
from pathlib import Path

UNNAMED = re.compile(r"^namespace \{\n(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
DECLARED = re.compile(r"^(?!using namespace|static_assert|//|#|template)[A-Za-z\[].*?\b([A-Za-z_]\w*)(?=\s*[({=;\[:](?!:))",
                      re.MULTILINE)
TYPE = re.compile(r"^(?:class|struct|enum class|enum|using) ([A-Za-z_]\w*)\b(?!;)", re.MULTILINE)
NO_NAMES = {"operator"}


def declared_names(text: str) -> set[str]:
    names = {name for body in UNNAMED.findall(text) for name in DECLARED.findall(body) + TYPE.findall(body)}
    return {name for name in names - NO_NAMES if not name.startswith("BOOST_")}


def parts_of(group: list[str], texts: dict[str, str], of_headers: dict[str, set[str]], most: int) -> dict[str, int]:
    """`of_headers` are the types that the headers of each folder declare."""
    parts: list[tuple[int, set[str]]] = []  # files so far, and names that they have taken
    out = {}
    for file in group:
        names = declared_names(texts[file])
        hides = names & of_headers.get(str(Path(file).parent), set())
        for number, (size, taken) in enumerate(parts):
            if not hides and size < most and not names & taken:
                parts[number] = (size + 1, taken | names)
                out[file] = number
                break
        else:
            parts.append((most if hides else 1, names))
            out[file] = len(parts) - 1
    return out


def self_test() -> None:
    first = "namespace {\n\nconstexpr int kMost = 3;\nbool is_odd(int n) {\n  return inner(n);\n}\n\n}  // namespace\n"
    cases = {
        "a constant": ("namespace {\n\nconst long kMost = 4;\n\n}  // namespace\n", True),
        "a function of other types": ("namespace {\n\nint is_odd(long n) { return 1; }\n\n}  // namespace\n", True),
        "a type": ("namespace {\n\nstruct kMost {\n};\n\n}  // namespace\n", True),
        "what is inside of a function": ("namespace {\n\nint f() {\n  const int kMost = 1;\n}\n\n}  // namespace\n", False),
        "what is in a named namespace": ("namespace other {\n\nint kMost = 4;\n\n}  // namespace other\n", False),
        "an operator": ("namespace {\n\nbool operator==(A, B) { return true; }\n\n}  // namespace\n", False),
        "a type of a header": ("namespace {\n\nclass Reader {\n};\n\n}  // namespace\n", True),
        "a type of another folder's header": ("namespace {\n\nclass Writer {\n};\n\n}  // namespace\n", False),
    }
    of_headers = {"a": set(TYPE.findall("class Reader {\n};\nclass Announced;\n")), "b": {"Writer"}}
    for name, (second, clashes) in cases.items():
        got = parts_of(["a/1.cpp", "a/2.cpp"], {"a/1.cpp": first, "a/2.cpp": second}, of_headers, 2)
        if (got["a/1.cpp"] != got["a/2.cpp"]) != clashes:
            sys.exit(f"together.py: {name}: got {got}")
    if of_headers["a"] != {"Reader"}:
        sys.exit("together.py: a type that is only announced clashes with nothing")


def main() -> None:
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    root = Path(sys.argv[1])
    lines = [line.split() for line in sys.stdin]
    texts = {file: (root / file).read_text() for _, file in lines}
    of_headers = {folder: {name for header in (root / folder).glob("*.hpp") for name in TYPE.findall(header.read_text())}
                  for folder in {str(Path(file).parent) for file in texts}}
    groups: dict[str, list[str]] = {}
    for group, file in lines:
        groups.setdefault(group, []).append(file)
    most, folder = int(sys.argv[2]), Path(sys.argv[3])
    wanted: dict[Path, str] = {}
    for group, files in groups.items():
        for file, number in parts_of(files, texts, of_headers, most).items():
            part = folder / f"{group}_{number}.cpp"
            wanted[part] = wanted.get(part, "") + f'#include "{file}"\n'
    leave(folder, wanted)


def leave(folder: Path, wanted: dict[Path, str]) -> None:
    for path in folder.rglob("*.cpp"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        if path.exists() and path.read_text() == text:
            continue  # what did not change is not compiled anew
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
