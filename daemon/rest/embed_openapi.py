#!/usr/bin/env python3
"""Writes docs/protocol/openapi.yaml as JSON in a C++ source file: embed_openapi.py YAML CPP."""

import json
import sys

import yaml

DELIMITER = "OPENAPI"
PIECE = 8000  # compilers need not take longer literals; neighbouring ones are one

with open(sys.argv[1], encoding="utf-8") as source:
    text = json.dumps(yaml.safe_load(source), ensure_ascii=False, separators=(",", ":"))
assert f"){DELIMITER}" not in text

pieces = (text[i : i + PIECE] for i in range(0, len(text), PIECE))
literals = "\n".join(f'R"{DELIMITER}({piece}){DELIMITER}"sv' for piece in pieces)
with open(sys.argv[2], "w", encoding="utf-8") as target:
    target.write(
        '#include "daemon/rest/openapi.hpp"\n\n'
        "using namespace std::string_view_literals;\n\n"
        "std::string_view chancery::rest::openapi_json() noexcept {\n"
        f"  return {literals};\n"
        "}\n"
    )
