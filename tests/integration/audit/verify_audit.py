#!/usr/bin/env python3
"""Checks an exported audit log, or the proof of an entry, with nothing of Chancery's.

  verify_audit.py VERIFIER-KEY FILE

RFC 6962 for the tree, C2SP signed-note, tlog-checkpoint and tlog-proof for the rest; the signatures are for
python3-cryptography to check. Ends with 0 and a line that begins with "sound" only when everything holds.
"""
import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ECDSA = 0x02


class Bad(Exception):
    pass


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The perfect subtrees at the right edge of a growing tree, the largest first."""

    def __init__(self):
        self.parts = []
        self.size = 0

    def append(self, leaf):
        part = (1, leaf)
        while self.parts and self.parts[-1][0] == part[0]:
            size, left = self.parts.pop()
            part = (2 * size, node_hash(left, part[1]))
        self.parts.append(part)
        self.size += 1

    def root(self):
        if not self.parts:
            return hashlib.sha256(b"").digest()
        root = self.parts[-1][1]
        for _, left in reversed(self.parts[:-1]):
            root = node_hash(left, root)
        return root


def root_from_path(leaf, index, size, path):
    """RFC 6962, section 2.1.1, turned round: the root to which an audit path leads."""
    path = list(path)

    def climb(low, high):
        if high - low == 1:
            return leaf
        split = 1
        while 2 * split < high - low:
            split *= 2
        middle = low + split
        if not path:
            raise Bad("the audit path is too short")
        sibling = path.pop()
        if index < middle:
            return node_hash(climb(low, middle), sibling)
        return node_hash(sibling, climb(middle, high))

    if not 0 <= index < size:
        raise Bad("the tree has no such entry")
    root = climb(0, size)
    if path:
        raise Bad("the audit path is too long")
    return root


class Key:
    def __init__(self, text):
        self.name, key_id, octets = text.strip().split("+", 2)
        typed = base64.b64decode(octets, validate=True)
        if typed[0] != ECDSA:
            raise Bad("the key is none for ECDSA")
        self.key_id = hashlib.sha256(typed[1:]).digest()[:4]
        if self.key_id.hex() != key_id:
            raise Bad("the key's id is not its own")
        self.public = serialization.load_der_public_key(typed[1:])

    def verify(self, signature, text):
        try:
            self.public.verify(signature, text, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Bad("a signature does not verify") from None


def open_checkpoint(note, key):
    """The size and root that the key has signed."""
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    is_signed = False
    for line in signatures.splitlines():
        dash, name, octets = line.split(" ")
        if dash != "\u2014":
            raise Bad("no signature line: " + line)
        octets = base64.b64decode(octets, validate=True)
        if name == key.name and octets[:4] == key.key_id:
            key.verify(octets[4:], text.encode())
            is_signed = True
    if not is_signed:
        raise Bad("the key has not signed this checkpoint")
    origin, size, root = text.splitlines()[:3]
    if origin != key.name:
        raise Bad("the checkpoint is of another log")
    return int(size), base64.b64decode(root, validate=True)


def check_log(lines, key):
    tree = Tree()
    signed = 0
    for number, line in enumerate(lines, 1):
        document = json.loads(line)
        if number == 1:
            if document != {"format": "chancery-audit-1", "origin": key.name}:
                raise Bad("this is not an export of that log")
        elif "checkpoint" in document:
            size, root = open_checkpoint(document["checkpoint"], key)
            if size != tree.size or root != tree.root():
                raise Bad(f"entries {signed + 1} to {tree.size} are not those that were signed")
            signed = size
        else:
            begin, end = '{"entry":', f',"leaf":"{document["leaf"]}","sequence":{document["sequence"]}}}'
            if not (line.startswith(begin) and line.endswith(end)) or document["sequence"] != tree.size + 1:
                raise Bad(f"entry {tree.size + 1} is not where it belongs")
            leaf = leaf_hash(line[len(begin) : -len(end)].encode())
            if leaf.hex() != document["leaf"]:
                raise Bad(f"entry {tree.size + 1} is not what was logged")
            tree.append(leaf)
    if signed == 0:
        raise Bad("nothing in it is signed")
    return f"{tree.size} entries, signed to entry {signed}"


def check_proof(text, key):
    head, _, note = text.partition("\n\n")
    lines = head.splitlines()
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
        raise Bad("this is no proof of an entry")
    entry = base64.b64decode(lines[1].removeprefix("extra "), validate=True)
    index = int(lines[2].removeprefix("index "))
    path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    size, root = open_checkpoint(note, key)
    if root_from_path(leaf_hash(entry), index, size, path) != root:
        raise Bad("the proof does not lead to the checkpoint's root")
    return f"entry {index + 1} of {size}: {json.loads(entry)['action']}"


def main():
    key = Key(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8", newline="") as file:
        text = file.read()
    try:
        is_proof = text.startswith("c2sp.org/tlog-proof@")
        print("sound:", check_proof(text, key) if is_proof else check_log(text.split("\n")[:-1], key))
    except (Bad, ValueError, KeyError, IndexError) as why:
        print("not sound:", why)
        sys.exit(1)


main()
