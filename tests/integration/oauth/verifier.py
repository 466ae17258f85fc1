#!/usr/bin/python3
"""Verifies single tokens and a proof with jwcrypto, which nobody here wrote, under the daemon's published keys.

usage: verifier.py FOLDER    with the issued.json that agent.mjs left there
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jws import InvalidJWSSignature, JWS


def digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def opened(compact, key):
    """The payload; raises unless the signature verifies."""
    jws = JWS()
    jws.deserialize(compact, key)
    return json.loads(jws.payload)


def header_of(compact):
    jws = JWS()
    jws.deserialize(compact)
    return jws.jose_header


def signer_of(compact):
    return JWK(**header_of(compact)["jwk"])


def check_chain(tokens, published):
    """Each token under the key that must have signed it; returns the last one's payload."""
    root = published.get_key(header_of(tokens[0])["kid"])
    payload = opened(tokens[0], root)
    for parent, child in zip(tokens, tokens[1:]):
        key = signer_of(child)
        assert key.thumbprint() == payload["cnf"]["jkt"], "the parent's holder signs the child"
        payload = opened(child, key)
        assert payload["par_hash"] == digest(parent.rsplit(".", 1)[0])
    return payload


def check_proof(proof, token, jkt):
    key = signer_of(proof)
    assert header_of(proof)["typ"] == "dpop+jwt"
    assert key.thumbprint() == jkt
    assert opened(proof, key)["ath"] == digest(token)


def is_refused(compact, key):
    header, payload, signature = compact.split(".")
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    try:
        opened(f"{header}.{payload}.{changed}", key)
    except InvalidJWSSignature:
        return True
    return False


def main():
    issued = json.loads((Path(sys.argv[1]) / "issued.json").read_text(encoding="utf-8"))
    published = JWKSet.from_json(json.dumps(issued["jwks"]))
    chains = [text.split("~") for text in issued["chains"]]
    leaves = [check_chain(tokens, published) for tokens in chains]
    bound = issued["bound"]
    check_proof(issued["proof"], chains[bound][-1], leaves[bound]["cnf"]["jkt"])
    root = chains[0][0]
    assert is_refused(root, published.get_key(header_of(root)["kid"]))
    print(f"jwcrypto: {sum(map(len, chains))} tokens and a proof verified")


if __name__ == "__main__":
    main()
