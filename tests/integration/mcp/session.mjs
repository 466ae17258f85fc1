// The SDK of 2025-11-25 with the gateway: node session.mjs URL. Ends with 0 when everything was as it must be.

import assert from 'node:assert/strict';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { allTools, checkRebinding, json, raw, until } from './checks.mjs';

const url = process.argv[2];
const client = new Client({ name: 'session', version: '1.0.0' }, { capabilities: { sampling: {}, elicitation: {}, roots: {} } });
const failures = [];
client.onerror = (error) => failures.push(error);
// Nothing may be asked of an agent.
client.fallbackRequestHandler = (request) => {
  failures.push(new Error(`the gateway asked for ${request.method}`));
  throw new Error('nobody asks');
};
const transport = new StreamableHTTPClientTransport(new URL(url));
await client.connect(transport);

assert.equal(client.getServerVersion().name, 'chancery');
assert.deepEqual(client.getServerCapabilities(), { logging: {}, tools: {} });
assert.match(transport.sessionId, /^[0-9a-f]{32}$/);
await client.ping();

const { tools, pages } = await allTools(client);
assert.ok(pages > 1);
const names = tools.map((tool) => tool.name);
assert.deepEqual(names, [...names].sort());
assert.equal(new Set(names).size, names.length);
assert.ok(names.includes('echo') && names.includes('json_schema_2020_12_tool'));

// Answers, and what is none.
const echo = await client.callTool({ name: 'echo', arguments: { text: 'ä\n"', n: 1 } });
assert.deepEqual(JSON.parse(echo.content[0].text), { text: 'ä\n"', n: 1 });
const sum = await client.callTool({ name: 'sum', arguments: { a: 1 } }); // the SDK holds it against the output's schema
assert.deepEqual(sum.structuredContent, { sum: 3 });
const broken = await client.callTool({ name: 'broken', arguments: {} });
assert.equal(broken.isError, true);
const denied = await client.callTool({ name: 'denied', arguments: {} });
assert.equal(denied.isError, true);
assert.equal(denied._meta['chancery/refusal'].code, 'budget_exhausted');
const pending = await client.callTool({ name: 'approval', arguments: {} });
assert.equal(pending.isError, true);
assert.match(pending.content[0].text, /waits for an approval \(request req-7\)/);
assert.equal(pending._meta['chancery/pending'].url, 'https://approve.example/req-7');

await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), { code: -32602 });
await assert.rejects(client.listTools({ cursor: 'made up' }), { code: -32602 });
await assert.rejects(client.request({ method: 'prompts/list' }, { parse: (x) => x, safeParse: (x) => ({ success: true, data: x }) }), {
  code: -32601,
});

// Progress ahead of an answer, and a call that is cancelled.
const steps = [];
await client.callTool({ name: 'steps', arguments: {} }, undefined, { onprogress: (progress) => steps.push(progress.progress) });
assert.deepEqual(steps, [1, 4]);
const aborted = new AbortController();
await assert.rejects(
  client.callTool({ name: 'wait', arguments: {} }, undefined, {
    signal: aborted.signal,
    onprogress: () => aborted.abort('changed my mind'),
  }),
);
await until(async () => (await client.callTool({ name: 'cancelled', arguments: {} })).content[0].text === '1');

// The end of a session is the end of it.
const session = { ...json, 'Mcp-Session-Id': transport.sessionId, 'MCP-Protocol-Version': '2025-11-25' };
const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
assert.equal((await raw(url, { headers: session, body: ping })).status, 200);
assert.equal((await raw(url, { headers: { ...session, 'MCP-Protocol-Version': '1999-01-01' }, body: ping })).status, 400);
await transport.terminateSession();
assert.equal((await raw(url, { headers: session, body: ping })).status, 404);
await client.close();

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
await checkRebinding(url, JSON.stringify(initialize));
assert.equal((await raw(url, { method: 'GET', headers: { Accept: 'text/event-stream' } })).status, 405);
assert.equal((await raw(url, { headers: { ...json, 'Content-Type': 'text/plain' }, body: JSON.stringify(initialize) })).status, 415);

const unexpected = failures.filter((error) => !/abort|changed my mind/i.test(String(error)));
assert.deepEqual(unexpected.map(String), []);
