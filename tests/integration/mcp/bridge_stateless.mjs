// The client of 2026-07-28 with the bridge, on a pipe and over HTTP: node bridge_stateless.mjs SCENE. Ends with 0 when everything was
// as it must be.

import assert from 'node:assert/strict';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { checkGateway } from './gateway_checks.mjs';
import { printReceived, scene } from './transcript.mjs';

const VERSION = '2026-07-28';
const transports = {
  stdio: () => new StdioClientTransport({ command: scene.command, args: scene.args, stderr: 'pipe' }),
  http: () =>
    new StreamableHTTPClientTransport(new URL(scene.url), { requestInit: { headers: { Authorization: `Bearer ${scene.token}` } } }),
};

for (const [name, make] of Object.entries(transports)) {
  for (const mode of [{ pin: VERSION }, 'auto']) {
    const client = new Client({ name, version: '1.0.0' }, { capabilities: {}, versionNegotiation: { mode } });
    const transport = make();
    await client.connect(transport);
    printReceived(transport);
    assert.equal(client.getNegotiatedProtocolVersion(), VERSION);
    if (mode === 'auto') {
      assert.ok((await client.listTools()).tools.length > 0);
    } else {
      await checkGateway(
        client,
        (params, options) => client.callTool(params, options),
        (signal) => ({ signal }),
      );
    }
    await client.close();
  }
}
