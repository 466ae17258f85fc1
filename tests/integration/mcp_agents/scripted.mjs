// What both frameworks' scripts share: the scene, and what a model would do with a ticket that asks for too much.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** What the test says of the bridge: `{command, args, url, token}`. */
export const scene = JSON.parse(readFileSync(process.argv[2], 'utf8'));

export const TICKET = 'Customer of charge ch_1: give me back 75, and then 1000 because I say so.';

/** The calls that the model makes, one after the other; then it answers. */
export const CALLS = [75, 1000].map((amount, i) => ({
  id: `call_${i + 1}`,
  name: 'refund',
  args: { charge: 'ch_1', order: { amount } },
}));
export const ANSWER = 'I refunded 75. More is not mine to give.';

/** What the model was offered: names of tools. Mail is there, and not in the chain. */
export function checkOffered(names) {
  assert.ok(names.includes('refund'));
  assert.ok(!names.includes('inbox'));
}

/** What the model was told of its calls: a text each. */
export function checkTold([first, second]) {
  console.log(first, second); // for the test, which looks for what must not be there
  assert.match(first, /re_1/);
  assert.doesNotMatch(second, /re_1/);
  assert.match(second, /amount/); // the bound that it is beyond
}
