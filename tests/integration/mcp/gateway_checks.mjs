// What an agent finds at the bridge, whichever client it has.

import assert from 'node:assert/strict';

import { allTools } from './checks.mjs';
import { refund } from './transcript.mjs';

const OFFERED = ['json_schema_2020_12_tool', 'refund', 'slow', 'test_error_handling', 'test_simple_text'];

/** @param call `(params, options) => result`; @param cancelling `(signal) => options` */
export async function checkGateway(client, call, cancelling) {
  const { tools } = await allTools(client);
  assert.deepEqual(tools.map((tool) => tool.name), OFFERED); // `inbox` is there, and not in the chain
  const described = tools.find((tool) => tool.name === 'refund');
  assert.equal(described.description, 'Refunds a charge.');
  assert.deepEqual(described.inputSchema.required, ['charge', 'order']);

  const done = await call(refund(75));
  assert.ok(!done.isError);
  assert.deepEqual(done.structuredContent, { amount: 75, id: 're_1' });
  assert.deepEqual(JSON.parse(done.content[0].text), { amount: 75, id: 're_1' });
  assert.equal((await call({ name: 'test_simple_text', arguments: {} })).content[0].text, 'This is a simple text response for testing.');

  const above = await call(refund(1000));
  assert.equal(above.isError, true);
  assert.deepEqual(above._meta['chancery/refusal'], { code: 'ceiling_exceeded', kind: 'denied' });
  assert.match(above.content[0].text, /found amount = 1000, expected payments.refund#amount max 100/);
  const wrong = await call({ name: 'refund', arguments: { charge: '../admin', order: { amount: 1 } } });
  assert.deepEqual(wrong._meta['chancery/refusal'], { code: 'invalid_arguments', kind: 'bad_argument' });
  assert.match(wrong.content[0].text, /\/charge/);
  const failed = await call({ name: 'test_error_handling', arguments: {} });
  assert.equal(failed.isError, true);
  assert.match(failed.content[0].text, /status 500/);
  assert.deepEqual(JSON.parse(failed.content[1].text), { reason: 'the disk is full' });
  for (const name of ['inbox', 'no_such_tool']) await assert.rejects(call({ name, arguments: {} }), { code: -32602 });

  const many = await Promise.all(Array.from({ length: 8 }, (_, i) => call(refund(1, `ch_${i}`))));
  assert.ok(many.every((result) => !result.isError));

  // One that takes its time, given up; others go on beside it.
  const aborted = new AbortController();
  const slow = assert.rejects(call({ name: 'slow', arguments: {} }, cancelling(aborted.signal)));
  assert.ok(!(await call(refund(2))).isError);
  aborted.abort('changed my mind');
  await slow;
  assert.ok(!(await call(refund(3))).isError);
}
