// What the scripts that use the bridge share.

import { readFileSync } from 'node:fs';

/** What the test says of the bridge: `{command, args, url, token}`. */
export const scene = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** Prints every message that reaches the client, so that the test can look for what must not. */
export function printReceived(transport) {
  const inner = transport.onmessage;
  transport.onmessage = (message, extra) => {
    console.log(JSON.stringify(message));
    inner?.(message, extra);
  };
}

export const refund = (amount, charge = 'ch_1') => ({ name: 'refund', arguments: { charge, order: { amount } } });
