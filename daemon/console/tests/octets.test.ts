import { expect, test } from 'vitest';

import { fromBase64url, hex, sha256, toBase64url, utf8 } from '../src/data/base64url';
import { canonical } from '../src/data/jcs';
import { differences } from '../src/text/differences';

test('the canonical form is that of RFC 8785', () => {
  expect(canonical({ b: [1, 1.5, -0, 1e21, true, null], a: { '\u20ac': 'x', '\r': '\u000f"\\/', 1: [] } })).toBe(
    '{"a":{"\\r":"\\u000f\\"\\\\/","1":[],"€":"x"},"b":[1,1.5,0,1e+21,true,null]}',
  );
  // By UTF-16 units, not by code points: the first of these begins with a surrogate.
  expect(canonical({ '\ufb33': 1, '\u{1f600}': 2 })).toBe('{"\u{1f600}":2,"\ufb33":1}');
  expect(() => canonical(Infinity)).toThrow();
  expect(canonical(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
});

test('base64url goes both ways for every octet', () => {
  const octets = Uint8Array.from({ length: 256 }, (_, at) => at);
  expect(toBase64url(Uint8Array.of(0xfb, 0xff, 0xbf, 0))).toBe('-_-_AA');
  expect(fromBase64url(toBase64url(octets))).toEqual(octets);
  expect(() => fromBase64url('a=')).toThrow();
  expect(() => fromBase64url('a+b/')).toThrow();
});

test('a hash is that of the standard’s example', async () => {
  expect(hex(await sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('each way in which arguments can differ is told', () => {
  const before = { amount: 75, gone: 'x', list: [1, 2], deep: { same: true, text: 'a' } };
  const after = { amount: '75', list: [1, 3, 4], deep: { same: true, text: 'b' }, fresh: null };
  expect(differences(before, after).map(({ kind, path }) => `${kind} ${path.join('.')}`)).toEqual([
    'changed amount',
    'same deep.same',
    'changed deep.text',
    'added fresh',
    'removed gone',
    'same list.0',
    'changed list.1',
    'added list.2',
  ]);
});

test('a text is not a number, and an object is no array', () => {
  expect(differences({ a: 1 }, { a: '1' })[0]?.kind).toBe('changed');
  expect(differences({ a: {} }, { a: [] })[0]?.kind).toBe('changed');
});
