/**
 * A JSON value in the canonical form of RFC 8785. JavaScript's own numbers and texts are what the RFC took its form from, and its
 * order of members is that of UTF-16 units, as here. Whoever hashes the result and compares learns also when reading had lost
 * something, such as an integer beyond 2^53.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key])}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('a number that JSON does not have');
  return JSON.stringify(value);
}
