#!/usr/bin/env python3
"""Writes docs/protocol/openapi.yaml as JSON in a C++ source file: embed_openapi.py YAML CPP."""

import json
import sys

import yaml

DELIMITER = "OPENAPI"
PIECE = 8000  # compilers need not take longer literals; neighbouring ones are one


class Loader(yaml.SafeLoader):
    """YAML 1.2 section 3.2.1.1 wants the keys of a mapping unique; PyYAML takes the last one without a word."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                sys.exit(f"{key.start_mark}: `{key.value}` stands here a second time")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


with open(sys.argv[1], encoding="utf-8") as source:
    text = json.dumps(yaml.load(source, Loader), ensure_ascii=False, separators=(",", ":"))
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
