#!/usr/bin/env python3
"""Receives what chanceryd tells its webhook, with nothing of Chancery's.

  receiver.py PORT CERTIFICATE KEY KEYS ISSUER AUDIENCE OUT

HTTPS on loopback. Each message is judged as docs/operations/anomalies.md tells receivers to: its signature under a key of
the JWK Set in the file KEYS, for whom and when it was made, and whether it came before. OUT gets a line of JSON for each
request: {"request": its line and its `Authorization`, "claims": …} when it is good, {"refused": why} when it is not.
"""

import base64
import http.server
import json
import ssl
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

MOST_OCTETS = 64 * 1024
CLOCKS_DIFFER = 60


class Refused(Exception):
    pass


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decode(text), "big")


def key_of(keys, kid):
    for key in keys["keys"]:
        if key["kid"] == kid and key["kty"] == "EC" and key["crv"] == "P-256":
            return ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1()).public_key()
    raise Refused("no such key")


def claims_of(compact, keys):
    """The claims of a message that is signed by one of these keys."""
    header, payload, signature = compact.split(".")
    said = json.loads(decode(header))
    if said.get("typ") != "chancery-event+jwt" or said.get("alg") != "ES256":
        raise Refused("something else")
    raw = decode(signature)
    if len(raw) != 64:
        raise Refused("signature")
    encoded = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        key_of(keys, said["kid"]).verify(encoded, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Refused("signature") from error
    return json.loads(decode(payload))


class Judge:
    def __init__(self, keys, issuer, audience):
        self.keys, self.issuer, self.audience = keys, issuer, audience
        self.seen = set()

    def judge(self, compact):
        with open(self.keys, encoding="utf-8") as keys:
            claims = claims_of(compact, json.load(keys))
        if claims["iss"] != self.issuer or claims["aud"] != self.audience:
            raise Refused("from or for somebody else")
        if not claims["iat"] - CLOCKS_DIFFER <= time.time() < claims["exp"] + CLOCKS_DIFFER:
            raise Refused("of another time")
        if claims["jti"] in self.seen:
            raise Refused("told before")
        self.seen.add(claims["jti"])
        return claims


def handler_for(judge, out):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length", "0"))
            try:
                if length > MOST_OCTETS or self.headers.get("Content-Type") != "application/jwt":
                    raise Refused("no message")
                claims = judge.judge(self.rfile.read(length).decode("ascii"))
                said = {"request": [self.requestline, self.headers.get("Authorization")], "claims": claims}
            except (Refused, ValueError, KeyError) as error:
                said = {"refused": str(error)}
            # "told before" is an answer to somebody who did not hear the first one.
            self.send_response(204 if "claims" in said or said["refused"] == "told before" else 400)
            self.end_headers()
            out.write(json.dumps(said) + "\n")
            out.flush()

        def log_message(self, *_):
            pass

    return Handler


def main():
    port, certificate, key, keys, issuer, audience, path = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with open(path, "a", encoding="utf-8") as out:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), handler_for(Judge(keys, issuer, audience), out))
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.serve_forever()


if __name__ == "__main__":
    main()
