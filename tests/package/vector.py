#!/usr/bin/env python3
"""Writes the first valid vector as files: trust.json, chain.txt, forged.txt (its last signature changed), now.

usage: vector.py VECTORS FOLDER
"""

import json
import sys
from pathlib import Path

vectors, folder = Path(sys.argv[1]), Path(sys.argv[2])
vector = next(one for one in json.loads(vectors.read_text())["vectors"] if one["category"] == "valid")
(folder / "trust.json").write_text(json.dumps({"anchors": [{"keys": vector["trusted_roots"]}]}))
chain = "~".join(vector["chain"])
(folder / "chain.txt").write_text(chain)
(folder / "forged.txt").write_text(chain[:-4] + ("AAAA" if chain[-4:] != "AAAA" else "BBBB"))
(folder / "now").write_text(str(vector["now"]))
