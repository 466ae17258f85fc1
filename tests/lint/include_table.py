#!/usr/bin/env python3
"""Holds every include against the two tables of docs/architecture.md.

usage: include_table.py ROOT        fails on any include that the tables do not allow
       include_table.py --self-test fails unless planted violations are found, each for its reason
"""

import fnmatch
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKED = ("sdk", "attest", "hsm", "daemon", "simulators")
PROGRAMS = ("sdk/cli", "sdk/examples")  # and what stands in the table as "anything"

# Which library a header of <...> belongs to, by the longest matching beginning.
LIBRARIES = {
    "boost/": "Boost",
    "cpprest/": "cpprestsdk",
    "pplx/": "cpprestsdk",
    "openssl/": "OpenSSL",
    "tss2/tss2_esys.h": "tss2-esys",
    "tss2/tss2_sys.h": "tss2-sys",
    "tss2/tss2_rc.h": "tss2-rc",
    "tss2/tss2_mu.h": "tss2-mu",
    "tss2/tss2_tpm2_types.h": "tss2-mu",
    "tss2/tss2_common.h": "tss2-mu",
    "tss2/tss2_tcti.h": "tss2-esys",
    "libp11.h": "libp11",
    "pkcs11": "libp11",
    "p11-kit/": "p11-kit",
    "sqlite3.h": "SQLite",
    "toml++/": "toml++",
    "spdlog/": "spdlog",
    "fmt/": "fmt",
    "prometheus/": "prometheus-cpp",
    "CLI/": "CLI11",
    "date/": "date",
    "zlib.h": "zlib",
    "curl/": "libcurl",
    "libpq-fe.h": "libpq",
    "re2/": "RE2",
    "seccomp.h": "libseccomp",
    "systemd/": "libsystemd",
}
C_STANDARD = {
    f"{name}.h"
    for name in "assert ctype errno float inttypes limits locale math setjmp signal stdarg stddef stdint stdio "
    "stdlib string time uchar wchar wctype".split()
}
POSIX = re.compile(
    r"(sys|arpa|netinet|net|linux)/[a-z0-9_/]+\.h|"
    r"(dirent|dlfcn|fcntl|fnmatch|glob|grp|ifaddrs|malloc|netdb|poll|pthread|pwd|sched|spawn|syslog|termios|unistd)\.h"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')


@dataclass
class Module:
    may_include: list
    libraries: list


@dataclass
class Rules:
    modules: dict  # path → Module
    public: dict  # name of a public header → path of its module

    def module_of(self, path):
        """The module with the longest path that `path` is, stands below, or has for a stem."""
        matching = [m for m in self.modules if path == m or path.startswith((m + "/", m + "."))]
        return max(matching, key=len, default=None)


def table_rows(lines, heading):
    """The cells of the Markdown table whose first column has that heading."""
    rows, inside = [], False
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| " + heading + " |"):
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and not set(line) <= set("|- "):
            rows.append(cells)
    return rows


def names_in(cell):
    if cell == "–":
        return []
    return [name.strip().strip("`") for name in cell.split(",")]


def read_rules(root):
    lines = (root / "docs/architecture.md").read_text(encoding="utf-8").splitlines()
    modules = {
        row[0].strip("`"): Module(names_in(row[1]), names_in(row[2])) for row in table_rows(lines, "module")
    }
    public = {row[0].strip("`"): row[1].strip("`") for row in table_rows(lines, "public header")}
    if not modules or not public:
        sys.exit("docs/architecture.md has no table of modules or of public headers")
    return Rules(modules, public)


def library_of(header):
    """The foreign library of a header in <...>; "" for the standard libraries, None for one nobody knows."""
    if re.fullmatch(r"[a-z0-9_]+", header) or header in C_STANDARD:
        return ""
    matching = [start for start in LIBRARIES if header.startswith(start)]
    if matching:
        return LIBRARIES[max(matching, key=len)]
    return "POSIX" if POSIX.fullmatch(header) else None


def complaint_about_library(rules, module, header):
    library = library_of(header)
    allowed = rules.modules[module].libraries
    if library is None:
        return f"<{header}> belongs to no library that tests/lint/include_table.py knows"
    if library and library not in allowed and "anything" not in allowed:
        return f"{module} may not use {library} (<{header}>)"
    return None


def program_of(module):
    """The program whose module that is; None when it belongs to a library."""
    return next((name for name in PROGRAMS if module == name or module.startswith(name + "/")), None)


def complaint_about_module(rules, module, header, target):
    if target is None:
        return f'"{header}" belongs to no module of docs/architecture.md'
    allowed = rules.modules[module].may_include
    if target == module or "anything" in allowed:
        return None
    program = program_of(target)
    if rules.modules[target].may_include == ["anything"] or (program and program != program_of(module)):
        return f"{module} may not include {target} ({header}): nothing includes a program"
    if not any(fnmatch.fnmatch(target, pattern) for pattern in allowed):
        return f"{module} may not include {target} ({header})"
    return None


def complaint(rules, path, angled, quoted):
    """What is wrong with one include of the file `path`, or None."""
    is_public = path.startswith("sdk/include/")
    module = rules.public.get(Path(path).name) if is_public else rules.module_of(path)
    if module is None:
        return "the file belongs to no module of docs/architecture.md"
    if quoted is not None:
        if is_public:
            return f'a public header may not include "{quoted}"'
        return complaint_about_module(rules, module, quoted, rules.module_of(quoted))
    if angled.startswith("chancery/"):
        target = rules.public.get(angled.removeprefix("chancery/"))
        return complaint_about_module(rules, module, angled, target)
    if is_public and library_of(angled) != "":
        return f"a public header may include the standard library and <chancery/...> only, not <{angled}>"
    return complaint_about_library(rules, module, angled)


def violations(root):
    rules = read_rules(root)
    found = []
    for folder in CHECKED:
        for file in sorted((root / folder).rglob("*.[ch]pp")):
            path = file.relative_to(root).as_posix()
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                include = INCLUDE.match(line)
                problem = complaint(rules, path, *include.groups()) if include else None
                if problem:
                    found.append(f"{path}:{number}: {problem}")
    return found


# Each file, its only include, and a part of the complaint; None where the include is allowed.
PLANTED = [
    ("sdk/base/a.cpp", "<vector>", None),
    ("sdk/base/b.cpp", "<string.h>", None),
    ("sdk/base/c.cpp", '"sdk/json/reader.hpp"', "sdk/base may not include sdk/json"),
    ("sdk/base/d.cpp", "<chancery/keys.hpp>", "sdk/base may not include sdk/crypto"),
    ("sdk/json/a.cpp", "<chancery/result.hpp>", None),
    ("sdk/json/b.cpp", "<unistd.h>", "sdk/json may not use POSIX"),
    ("sdk/verify/a.cpp", "<openssl/evp.h>", "sdk/verify may not use OpenSSL"),
    ("sdk/verify/b.cpp", '"daemon/store/store.hpp"', "sdk/verify may not include daemon/store"),
    ("sdk/include/chancery/token.hpp", "<chancery/verify.hpp>", "sdk/token may not include sdk/verify"),
    ("sdk/include/chancery/verify.hpp", "<chancery/token.hpp>", None),
    ("sdk/include/chancery/client.hpp", "<cpprest/http_client.h>", "a public header may include the standard"),
    ("sdk/include/chancery/keys.hpp", '"sdk/crypto/hash.hpp"', "a public header may not include"),
    ("sdk/include/chancery/unlisted.hpp", "<vector>", "belongs to no module"),
    ("hsm/key.hpp", '"hsm/tpm/device.hpp"', "hsm may not include hsm/tpm"),
    ("hsm/tpm/a.cpp", '"hsm/key.hpp"', None),
    ("hsm/tpm/b.cpp", '"hsm/pkcs11/slots.hpp"', "hsm/tpm may not include hsm/pkcs11"),
    ("hsm/tpm/c.cpp", "<tss2/tss2_esys.h>", None),
    ("hsm/tpm/d.cpp", "<unheard/of.h>", "belongs to no library"),
    ("daemon/service/a.cpp", '"sdk/wire/messages.hpp"', None),
    ("daemon/service/b.cpp", '"sdk/cli/arguments.hpp"', "nothing includes a program"),
    ("daemon/service/d.cpp", '"sdk/cli/open_device.hpp"', "nothing includes a program"),
    ("sdk/cli/a.cpp", '"hsm/tpm/backend.hpp"', "sdk/cli may not include hsm/tpm"),
    ("sdk/cli/b.cpp", '"sdk/cli/open_device.hpp"', None),
    ("sdk/cli/open_device.cpp", '"hsm/tpm/backend.hpp"', None),
    ("daemon/service/c.cpp", '"hsm/tpm/backend.hpp"', "daemon/service may not include hsm/tpm"),
    ("daemon/edge/a.cpp", '"simulators/swtpm/swtpm.hpp"', "daemon/edge may not include simulators/swtpm"),
    ("daemon/edge/b.cpp", '"nowhere/x.hpp"', "belongs to no module"),
    ("daemon/unlisted/a.cpp", "<vector>", "belongs to no module"),
    ("daemon/arguments.cpp", "<CLI/CLI.hpp>", None),
    ("daemon/arguments.hpp", '"daemon/edge/server.hpp"', "daemon/arguments may not include daemon/edge"),
    ("daemon/main.cpp", '"hsm/tpm/backend.hpp"', None),
    ("daemon/dev/a.cpp", '"daemon/main.cpp"', "nothing includes a program"),
]


def self_test(root):
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        (copy / "docs").mkdir()
        (copy / "docs/architecture.md").write_bytes((root / "docs/architecture.md").read_bytes())
        for path, include, _ in PLANTED:
            file = copy / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"#include {include}\n", encoding="utf-8")
        found = violations(copy)
    for path, include, want in PLANTED:
        said = [line for line in found if line.startswith(path + ":1: ")]
        if want is None and said:
            failures.append(f"{path} includes {include}, which is allowed, but: {said[0]}")
        if want is not None and not any(want in line for line in said):
            failures.append(f"{path} includes {include}: wanted “{want}”, found {said}")
    return failures


def main():
    root = Path(__file__).resolve().parents[2]
    problems = self_test(root) if sys.argv[1:] == ["--self-test"] else violations(Path(sys.argv[1]))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
