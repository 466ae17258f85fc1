#!/usr/bin/env python3
"""Writes docs/protocol/openapi.yaml as JSON into a C++ source file: embed_openapi.py YAML CPP."""

import json
import sys

import yaml

PIECE = 2000  # compilers bound the length of one string literal


def main() -> None:
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = json.dumps(yaml.safe_load(file), ensure_ascii=True, separators=(",", ":"))
    pieces = "\n".join(f'    R"json({text[i:i + PIECE]})json"' for i in range(0, len(text), PIECE))
    with open(target, "w", encoding="utf-8") as file:
        file.write(
            '#include "daemon/rest/openapi.hpp"\n\n'
            "namespace chancery::rest {\n\n"
            "std::string_view openapi_json() noexcept {\n"
            f"  return\n{pieces};\n"
            "}\n\n"
            "}  // namespace chancery::rest\n"
        )


if __name__ == "__main__":
    main()
