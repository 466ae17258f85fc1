// An audit log of a few entries with a real tree and a real key, for the fake daemon.

import { createHash, generateKeyPairSync, sign } from 'node:crypto';

import { canonical } from './canonical.mjs';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const leaf = (entry) => sha256(Buffer.of(0), canonical(entry));
const node = (left, right) => sha256(Buffer.of(1), left, right);

function split(size) {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function root(leaves) {
  if (leaves.length === 1) return leaves[0];
  const at = split(leaves.length);
  return node(root(leaves.slice(0, at)), root(leaves.slice(at)));
}

function path(index, leaves) {
  if (leaves.length === 1) return [];
  const at = split(leaves.length);
  return index < at
    ? [...path(index, leaves.slice(0, at)), root(leaves.slice(at))]
    : [...path(index - at, leaves.slice(at)), root(leaves.slice(0, at))];
}

function subproof(from, leaves, isWhole) {
  if (from === leaves.length) return isWhole ? [] : [root(leaves)];
  const at = split(leaves.length);
  return from <= at
    ? [...subproof(from, leaves.slice(0, at), isWhole), root(leaves.slice(at))]
    : [...subproof(from - at, leaves.slice(at), false), root(leaves.slice(0, at))];
}

export class FakeLog {
  origin = 'localhost/audit/5f3c1a9be0d24477';

  constructor(entries, checkpointSizes) {
    this.entries = entries;
    this.leaves = entries.map(leaf);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = privateKey;
    this.jwk = publicKey.export({ format: 'jwk' });
    this.keyId = sha256(publicKey.export({ format: 'der', type: 'spki' })).subarray(0, 4);
    this.checkpoints = checkpointSizes.map((size) => ({ size, at: entries[size - 1].at + 60, note: this.note(size) }));
  }

  note(size) {
    const text = `${this.origin}\n${size}\n${root(this.leaves.slice(0, size)).toString('base64')}\n`;
    const signature = Buffer.concat([this.keyId, sign('sha256', Buffer.from(text), this.privateKey)]).toString('base64');
    return `${text}\n\u2014 ${this.origin} ${signature}\n`;
  }

  keys() {
    const vkey = `${this.origin}+${this.keyId.toString('hex')}+AAAA`;
    return { origin: this.origin, keys: [{ vkey, jwk: this.jwk, jkt: 'audit-key', backend: 'tpm0', state: 'active', created_at: this.entries[0].at }] };
  }

  entry(number) {
    const checkpoint = this.checkpoints.at(-1);
    const proved = { number, entry: this.entries[number - 1], leaf_hash: this.leaves[number - 1].toString('base64') };
    if (number > checkpoint.size) return { ...proved, checkpoint };
    const hashes = path(number - 1, this.leaves.slice(0, checkpoint.size)).map((hash) => hash.toString('base64'));
    return { ...proved, checkpoint, inclusion: { number, size: checkpoint.size, leaf_hash: proved.leaf_hash, hashes } };
  }

  consistency(from, to) {
    return { from, to, hashes: subproof(from, this.leaves.slice(0, to), true).map((hash) => hash.toString('base64')) };
  }

  search(ref, action, before, limit) {
    const names = (entry) => [entry.principal, entry.agent, entry.session, entry.request_id, ...Object.values(entry.ids ?? {})];
    const found = this.entries
      .map((entry, at) => ({ number: at + 1, entry }))
      .filter(({ number, entry }) => {
        const isAction = action === '' || (action.endsWith('.') ? entry.action.startsWith(action) : entry.action === action);
        return number < before && isAction && (ref === '' || names(entry).includes(ref));
      })
      .reverse();
    const entries = found.slice(0, limit);
    return { entries, size: this.entries.length, ...(found.length > limit ? { next: entries.at(-1).number } : {}) };
  }
}
