// The client of 2026-07-28 with the gateway: node stateless.mjs URL. Ends with 0 when everything was as it must be.

import assert from 'node:assert/strict';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { allTools, checkRebinding, json, raw, until } from './checks.mjs';

const url = process.argv[2];
const VERSION = '2026-07-28';

async function connected(capabilities, mode) {
  const client = new Client({ name: 'stateless', version: '1.0.0' }, { capabilities, versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  return { client, transport };
}

// Asked for, or found out.
for (const mode of [{ pin: VERSION }, 'auto']) {
  const { client, transport } = await connected({}, mode);
  assert.equal(client.getNegotiatedProtocolVersion(), VERSION);
  assert.equal(transport.sessionId, undefined);
  assert.deepEqual(client.getServerCapabilities(), { logging: {}, tools: {} });
  await client.close();
}
// Its older way is another session.
{
  const { client, transport } = await connected({}, 'legacy');
  assert.equal(client.getNegotiatedProtocolVersion(), '2025-11-25');
  assert.match(transport.sessionId, /^[0-9a-f]{32}$/);
  await client.close();
}

const { client } = await connected({}, { pin: VERSION });
const { tools } = await allTools(client);
const names = tools.map((tool) => tool.name);
assert.ok(names.includes('echo') && names.includes('numbers'));
assert.deepEqual(names, [...names].sort());

const echo = await client.callTool({ name: 'echo', arguments: { text: 'ä\n"', n: 1 } });
assert.deepEqual(JSON.parse(echo.content[0].text), { text: 'ä\n"', n: 1 });
assert.deepEqual((await client.callTool({ name: 'sum', arguments: {} })).structuredContent, { sum: 3 });
assert.deepEqual((await client.callTool({ name: 'numbers', arguments: {} })).structuredContent, [1, 2]);
assert.equal((await client.callTool({ name: 'broken', arguments: {} })).isError, true);
const denied = await client.callTool({ name: 'denied', arguments: {} });
assert.equal(denied._meta['chancery/refusal'].kind, 'denied');
await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), { code: -32602 });

const steps = [];
await client.callTool({ name: 'steps', arguments: {} }, { onprogress: (progress) => steps.push(progress.progress) });
assert.deepEqual(steps, [1, 4]);

// Whoever closes the connection cancels.
const aborted = new AbortController();
await assert.rejects(
  client.callTool({ name: 'wait', arguments: {} }, { signal: aborted.signal, onprogress: () => aborted.abort() }),
);
await until(async () => (await client.callTool({ name: 'cancelled', arguments: {} })).content[0].text === '1');

// An approval, for an agent that can show no page, and for one that can: that one is asked once.
const waits = await client.callTool({ name: 'approval', arguments: {} });
assert.equal(waits.isError, true);
assert.equal(waits._meta['chancery/pending'].request, 'req-7');
await client.close();
{
  const { client: shower } = await connected({ elicitation: { url: {} } }, { pin: VERSION });
  const asked = [];
  shower.setRequestHandler('elicitation/create', async (request) => {
    asked.push(request.params.url);
    return { action: 'accept' };
  });
  const later = await shower.callTool({ name: 'approval', arguments: {} });
  assert.deepEqual(asked, ['https://approve.example/req-7']);
  assert.equal(later.isError, true);
  await shower.close();
}

// Headers and message must agree.
const meta = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
};
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', _meta: meta } });
const right = { ...json, 'MCP-Protocol-Version': VERSION, 'Mcp-Method': 'tools/call', 'Mcp-Name': 'echo' };
assert.equal((await raw(url, { headers: right, body: call })).status, 200);
for (const wrong of [{ 'Mcp-Name': 'sum' }, { 'Mcp-Method': 'tools/list' }, { 'MCP-Protocol-Version': '2025-11-25' }]) {
  const answer = await raw(url, { headers: { ...right, ...wrong }, body: call });
  assert.equal(answer.status, 400);
  assert.equal(JSON.parse(answer.body).error.code, -32020);
}
const unknown = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'prompts/list', params: { _meta: meta } });
assert.equal((await raw(url, { headers: { ...right, 'Mcp-Method': 'prompts/list' }, body: unknown })).status, 404);
await checkRebinding(url, call);
