// What changed without the reader's doing is said once, by a region that screen readers listen to.

import { useEffect, useState } from 'preact/hooks';

let tell: (text: string) => void = () => undefined;

export function announce(text: string): void {
  tell(text);
}

export function Announcer() {
  const [said, setSaid] = useState({ text: '', turn: 0 });
  useEffect(() => {
    tell = (text) => setSaid((before) => ({ text, turn: before.turn + 1 }));
    return () => {
      tell = () => undefined;
    };
  }, []);
  // The same text twice is news twice: it must differ for the region to be read again.
  return (
    <div class="sr-only" role="status" aria-live="polite">
      {said.text + (said.turn % 2 === 1 ? '\u00a0' : '')}
    </div>
  );
}
