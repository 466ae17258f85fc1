// Times and numbers as people read them. `now` is always a parameter.

const kUnits: readonly (readonly [number, string])[] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** `3 minutes`, in the largest unit that there is at least one of. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [size, name] = kUnits.find(([unit]) => whole >= unit) ?? [1, 'second'];
  const count = Math.floor(whole / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

export function ago(at: number, now: number): string {
  return now - at < 1 ? 'just now' : `${duration(now - at)} ago`;
}

/** `14:05` left, for what runs out while somebody looks at it. */
export function countdown(until: number, now: number): string {
  const left = Math.max(0, Math.floor(until - now));
  const minutes = Math.floor(left / 60);
  if (minutes >= 60) return duration(left);
  return `${minutes}:${String(left % 60).padStart(2, '0')}`;
}

/** In the reader's own zone, to the second, with the zone. */
export function moment(at: number): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' }).format(new Date(at * 1000));
}

export function iso(at: number): string {
  return new Date(at * 1000).toISOString();
}

export function count(value: number): string {
  return new Intl.NumberFormat('en').format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
