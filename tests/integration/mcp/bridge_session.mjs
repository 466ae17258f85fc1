// The SDK of 2025-11-25 with the bridge, on a pipe and over HTTP: node bridge_session.mjs SCENE. Ends with 0 when everything was as
// it must be.

import assert from 'node:assert/strict';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { checkRebinding } from './checks.mjs';
import { checkGateway } from './gateway_checks.mjs';
import { printReceived, scene } from './transcript.mjs';

const transports = {
  stdio: () => new StdioClientTransport({ command: scene.command, args: scene.args, stderr: 'pipe' }),
  http: () =>
    new StreamableHTTPClientTransport(new URL(scene.url), { requestInit: { headers: { Authorization: `Bearer ${scene.token}` } } }),
};

for (const [name, make] of Object.entries(transports)) {
  const client = new Client({ name, version: '1.0.0' }, { capabilities: { sampling: {}, elicitation: {}, roots: {} } });
  client.fallbackRequestHandler = (request) => assert.fail(`the gateway asked for ${request.method}`);
  const transport = make();
  await client.connect(transport);
  printReceived(transport);
  assert.equal(client.getServerVersion().name, 'chancery');
  assert.deepEqual(client.getServerCapabilities(), { tools: {} });
  await client.ping();
  await checkGateway(
    client,
    (params, options) => client.callTool(params, undefined, options),
    (signal) => ({ signal }),
  );
  await client.close();
}

await checkRebinding(
  scene.url,
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  }),
);
