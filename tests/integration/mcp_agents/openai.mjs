// The agent of OpenAI's SDK with the bridge's tools, on a pipe and over HTTP: node openai.mjs SCENE.

import assert from 'node:assert/strict';

import { Agent, MCPServerStdio, MCPServerStreamableHttp, run, setTracingDisabled, Usage } from '@openai/agents';

import { ANSWER, CALLS, checkOffered, checkTold, scene, TICKET } from './scripted.mjs';

setTracingDisabled(true);

/** Makes the scripted calls, each after the answer to the one before. */
class ScriptedModel {
  offered = [];
  told = [];

  async getResponse({ input, tools }) {
    this.offered = tools.map((tool) => tool.name);
    this.told = input.filter((item) => item.type === 'function_call_result').map((item) => JSON.stringify(item.output));
    const next = CALLS[this.told.length];
    const output =
      next === undefined
        ? { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: ANSWER }] }
        : { type: 'function_call', callId: next.id, name: next.name, arguments: JSON.stringify(next.args), status: 'completed' };
    return { usage: new Usage(), output: [output] };
  }
  async *getStreamedResponse() {
    throw new Error('nobody streams here');
  }
}

const servers = [
  new MCPServerStdio({ name: 'stdio', command: scene.command, args: scene.args }),
  new MCPServerStreamableHttp({
    name: 'http',
    url: scene.url,
    requestInit: { headers: { Authorization: `Bearer ${scene.token}` } },
  }),
];

for (const server of servers) {
  await server.connect();
  const model = new ScriptedModel();
  const agent = new Agent({ name: 'support', instructions: 'Answer tickets.', model, mcpServers: [server] });
  const result = await run(agent, TICKET);
  checkOffered(model.offered);
  checkTold(model.told);
  assert.equal(result.finalOutput, ANSWER);
  await server.close();
}
