// LangGraph's agent with the bridge's tools, on a pipe and over HTTP: node langgraph.mjs SCENE.

import assert from 'node:assert/strict';

import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage } from '@langchain/core/messages';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';

import { ANSWER, CALLS, checkOffered, checkTold, scene, TICKET } from './scripted.mjs';

/** Makes the scripted calls, each after the answer to the one before. */
class ScriptedModel extends BaseChatModel {
  offered = [];

  _llmType() {
    return 'scripted';
  }
  bindTools(tools) {
    this.offered = tools.map((tool) => tool.name);
    return this;
  }
  async _generate(messages) {
    const answered = messages.filter((message) => message.getType() === 'tool').length;
    const message =
      answered < CALLS.length
        ? new AIMessage({ content: '', tool_calls: [{ ...CALLS[answered], type: 'tool_call' }] })
        : new AIMessage(ANSWER);
    return { generations: [{ text: message.text, message }] };
  }
}

const servers = {
  stdio: { transport: 'stdio', command: scene.command, args: scene.args },
  http: { transport: 'http', url: scene.url, headers: { Authorization: `Bearer ${scene.token}` } },
};

for (const [name, server] of Object.entries(servers)) {
  const client = new MultiServerMCPClient({ mcpServers: { [name]: server } });
  const tools = await client.getTools();
  const llm = new ScriptedModel({});
  const agent = createReactAgent({ llm, tools });
  const { messages } = await agent.invoke({ messages: [{ role: 'user', content: TICKET }] });
  checkOffered(llm.offered);
  checkTold(messages.filter((message) => message.getType() === 'tool').map((message) => JSON.stringify(message.content)));
  assert.equal(messages.at(-1).text, ANSWER);
  await client.close();
}
