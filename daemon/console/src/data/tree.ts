// The audit log's proofs, verified here: RFC 6962's tree, RFC 9162's ways to verify, signed notes for its heads. The daemon's word is
// taken for nothing that this can check.

import { hex, sha256, utf8, type Octets } from './base64url';
import { canonical } from './jcs';
import type { AuditEntry, AuditKeys } from './types';

export interface Head {
  origin: string;
  size: number;
  root: Octets;
}

function concatenated(...parts: Uint8Array[]): Octets {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const node = (left: Uint8Array, right: Uint8Array): Promise<Octets> => sha256(concatenated(Uint8Array.of(1), left, right));

/** Standard base64 with padding, as hashes of the log are written. */
export function fromBase64(text: string): Octets {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function toBase64(octets: Uint8Array): string {
  return btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(''));
}

export function leafHash(entry: AuditEntry): Promise<Octets> {
  return sha256(concatenated(Uint8Array.of(0), utf8(canonical(entry))));
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => hex(one) === hex(other);
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

/** RFC 9162, section 2.1.3.2; `index` counts from 0. */
export async function isIncluded(leaf: Octets, index: number, head: Head, path: readonly Octets[]): Promise<boolean> {
  if (index < 0 || index >= head.size) return false;
  let [fn, sn, hash] = [index, head.size - 1, leaf];
  for (const step of path) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      hash = await node(step, hash);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      hash = await node(hash, step);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && isSame(hash, head.root);
}

const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value)) && 2 ** Math.log2(value) === value;

/** Whether the first tree is the beginning of the second: RFC 9162, section 2.1.4.2. */
export async function isConsistent(first: Head, second: Head, proof: readonly Octets[]): Promise<boolean> {
  if (first.size === 0 || first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && isSame(first.root, second.root);
  const path = isPowerOfTwo(first.size) ? [first.root, ...proof] : [...proof];
  const start = path.shift();
  if (start === undefined) return false;
  let [fn, sn, fr, sr] = [first.size - 1, second.size - 1, start, start];
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  for (const step of path) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      [fr, sr] = [await node(step, fr), await node(step, sr)];
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = await node(sr, step);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && isSame(fr, first.root) && isSame(sr, second.root);
}

interface Note {
  head: Head;
  /** The octets that are signed. */
  text: string;
  signatures: { name: string; keyId: string; signature: Octets }[];
}

/** A checkpoint; undefined for what is none. */
export function readNote(note: string): Note | undefined {
  const end = note.indexOf('\n\n');
  if (end < 0) return undefined;
  const text = note.slice(0, end + 1);
  const [origin = '', size = '', root = ''] = text.split('\n');
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(size)) return undefined;
  try {
    const signatures = note
      .slice(end + 2)
      .split('\n')
      .flatMap((line) => {
        const found = /^\u2014 (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line);
        if (found === null) return [];
        const octets = fromBase64(found[2]!);
        return [{ name: found[1]!, keyId: hex(octets.subarray(0, 4)), signature: octets.slice(4) }];
      });
    return { head: { origin, size: Number(size), root: fromBase64(root) }, text, signatures };
  } catch {
    return undefined; // no base64
  }
}

/** An integer of a DER signature as 32 octets; undefined where it is none that P-256 has. */
function integerAt(der: Octets, at: number): { value: Octets; next: number } | undefined {
  if (der[at] !== 0x02) return undefined;
  const length = der[at + 1] ?? 0;
  const octets = der.slice(at + 2, at + 2 + length);
  if (octets.length !== length || length === 0 || length > 33) return undefined;
  const trimmed = length === 33 ? octets.slice(1) : octets;
  const value = new Uint8Array(32);
  value.set(trimmed, 32 - trimmed.length);
  return { value, next: at + 2 + length };
}

/** ECDSA's signature from DER to the form that browsers verify. */
export function rawSignature(der: Octets): Octets | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const r = integerAt(der, 2);
  const s = r && integerAt(der, r.next);
  return r && s && s.next === der.length ? concatenated(r.value, s.value) : undefined;
}

async function isSignedBy(jwk: Record<string, string>, wantedId: string, signature: Octets, text: string): Promise<boolean> {
  const { kty, crv, x, y } = jwk;
  const key = await crypto.subtle.importKey(
    'jwk',
    { kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '' },
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['verify'],
  );
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', key));
  if (hex((await sha256(spki)).subarray(0, 4)) !== wantedId) return false;
  const raw = rawSignature(signature);
  return raw !== undefined && crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, raw, utf8(text));
}

/** The head that a note says, where one of the log's keys signed it under the log's name; undefined otherwise. */
export async function verifiedHead(note: string, keys: AuditKeys): Promise<Head | undefined> {
  const read = readNote(note);
  if (read === undefined || read.head.origin !== keys.origin) return undefined;
  for (const { name, keyId, signature } of read.signatures) {
    if (name !== keys.origin) continue;
    for (const { jwk } of keys.keys) {
      if (await isSignedBy(jwk, keyId, signature, read.text).catch(() => false)) return read.head;
    }
  }
  return undefined;
}
