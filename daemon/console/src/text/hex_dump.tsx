import { useMemo } from 'preact/hooks';

import { utf8 } from '../data/base64url';

const kRow = 16;

function row(octets: Uint8Array, from: number): string {
  const part = Array.from(octets.subarray(from, from + kRow));
  const hex = part.map((octet) => octet.toString(16).padStart(2, '0')).join(' ');
  const text = part.map((octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.')).join('');
  return `${from.toString(16).padStart(5, '0')}  ${hex.padEnd(3 * kRow - 1)}  ${text}`;
}

/** The octets of a text in UTF-8, sixteen a line. */
export function HexDump({ text, label }: { text: string; label: string }) {
  const rows = useMemo(() => {
    const octets = utf8(text);
    return Array.from({ length: Math.ceil(octets.length / kRow) }, (_, at) => row(octets, at * kRow));
  }, [text]);
  return (
    <pre class="hex" tabIndex={0} role="region" aria-label={label}>
      {rows.join('\n')}
    </pre>
  );
}
