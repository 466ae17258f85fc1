// What is not the same in two JSON values, member by member.

import { canonical } from '../data/jcs';

export interface Difference {
  kind: 'same' | 'added' | 'removed' | 'changed';
  /** Where: the names and numbers that lead there. */
  path: string[];
  before?: unknown;
  after?: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function walk(path: string[], before: unknown, after: unknown, found: Difference[]): void {
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const key of [...keys].sort()) {
      const at = [...path, key];
      if (!Object.hasOwn(before, key)) found.push({ kind: 'added', path: at, after: after[key] });
      else if (!Object.hasOwn(after, key)) found.push({ kind: 'removed', path: at, before: before[key] });
      else walk(at, before[key], after[key], found);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let at = 0; at < Math.max(before.length, after.length); ++at) {
      const where = [...path, String(at)];
      if (at >= before.length) found.push({ kind: 'added', path: where, after: after[at] });
      else if (at >= after.length) found.push({ kind: 'removed', path: where, before: before[at] });
      else walk(where, before[at], after[at], found);
    }
    return;
  }
  const same = canonical(before) === canonical(after);
  found.push({ kind: same ? 'same' : 'changed', path, before, after });
}

export function differences(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = [];
  walk([], before, after, found);
  return found;
}
