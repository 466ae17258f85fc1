import { describe, expect, test } from 'vitest';

import { fromBase64, isConsistent, isIncluded, leafHash, rawSignature, readNote, verifiedHead, type Head } from '../src/data/tree';
import type { AuditEntry, AuditKeys } from '../src/data/types';
// @ts-expect-error a script without types
import { FakeLog } from './fake_log.mjs';

const kSizes = Array.from({ length: 21 }, (_, at) => at + 1);
const entries: AuditEntry[] = kSizes.map((at) => ({ v: 1, at, action: 'key.rotate', details: { note: `entry ${at} ü` } }));
const log = new FakeLog(entries, kSizes) as {
  checkpoints: { size: number; note: string }[];
  keys: () => AuditKeys;
  entry: (number: number) => { inclusion: { hashes: string[] } };
  consistency: (from: number, to: number) => { hashes: string[] };
};
const keys = log.keys();
const heads = await Promise.all(log.checkpoints.map(({ note }) => verifiedHead(note, keys)));
const headOf = (size: number): Head => heads[size - 1]!;

test('every entry is proved to be in the tree, and at no other place', async () => {
  const head = headOf(21);
  for (const number of kSizes) {
    const path = log.entry(number).inclusion.hashes.map(fromBase64);
    const leaf = await leafHash(entries[number - 1]!);
    expect([number, await isIncluded(leaf, number - 1, head, path)]).toEqual([number, true]);
    expect(await isIncluded(leaf, number % 21, head, path)).toBe(false);
    expect(await isIncluded(leaf, number - 1, head, path.slice(1))).toBe(false);
    expect(await isIncluded(leaf, number - 1, head, [...path, leaf])).toBe(false);
  }
});

test('an altered entry is not', async () => {
  const path = log.entry(5).inclusion.hashes.map(fromBase64);
  const leaf = await leafHash({ ...entries[4]!, at: 99 });
  expect(await isIncluded(leaf, 4, headOf(21), path)).toBe(false);
  expect(await isIncluded(leaf, 21, headOf(21), path)).toBe(false);
});

test('each tree is the beginning of each later one, and of no other', async () => {
  for (const from of kSizes) {
    for (const to of kSizes.filter((size) => size >= from)) {
      const [first, second] = [headOf(from), headOf(to)];
      const proof = log.consistency(from, to).hashes.map(fromBase64);
      expect([from, to, await isConsistent(first, second, proof)]).toEqual([from, to, true]);
      expect(await isConsistent({ ...first, root: second.root }, { ...second, root: first.root }, proof)).toBe(from === to);
    }
  }
});

describe('a checkpoint counts', () => {
  const note = log.checkpoints[7]!.note;
  const otherKey = (new FakeLog(entries, [8]) as typeof log).keys();

  test('by a key of the log', async () => {
    expect(await verifiedHead(note, keys)).toMatchObject({ origin: keys.origin, size: 8 });
  });
  test.each([
    ['with another size', note.replace('\n8\n', '\n9\n'), keys],
    ['of another log', note.replaceAll('5f3c1a9be0d24477', '0000000000000000'), keys],
    ['by another key', note, otherKey],
    ['without signature', `${note.split('\n\n')[0]}\n\n`, keys],
    ['that is none', 'x', keys],
    ['of no base64', note.replace(/\n8\n.*\n/, '\n8\n***\n'), keys],
  ])('%s: not', async (_, text, by) => {
    expect(await verifiedHead(text, by)).toBeUndefined();
  });
});

test('a note with another line of extension is read', () => {
  const read = readNote('log\n7\nAAAA\ncounter 3\n\n— log AAAAAAAA\n');
  expect(read).toMatchObject({ head: { origin: 'log', size: 7 }, text: 'log\n7\nAAAA\ncounter 3\n' });
});

test('a signature that is no DER of two integers has no raw form', () => {
  const good = Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 2);
  expect(rawSignature(good)?.length).toBe(64);
  expect(rawSignature(good.slice(0, 7))).toBeUndefined();
  expect(rawSignature(Uint8Array.of(0x31, 6, 2, 1, 1, 2, 1, 2))).toBeUndefined();
  expect(rawSignature(Uint8Array.of(0x30, 6, 2, 1, 1, 3, 1, 2))).toBeUndefined();
});
