// What both clients' scripts ask of the endpoint beyond what a client would send.

import assert from 'node:assert/strict';
import http from 'node:http';

/** A request with exactly these headers. @returns {Promise<{status: number, headers: object, body: string}>} */
export function raw(url, { method = 'POST', headers = {}, body = '' } = {}) {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path: pathname, method, headers, setHost: !('Host' in headers) });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
    });
    request.end(body);
  });
}

export const json = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };

/** A page of somebody, and a name that was made to lead here. */
export async function checkRebinding(url, body) {
  const { host, port } = new URL(url);
  assert.equal((await raw(url, { headers: { ...json, Origin: 'http://evil.example' }, body })).status, 403);
  assert.equal((await raw(url, { headers: { ...json, Origin: 'null' }, body })).status, 403);
  assert.equal((await raw(url, { headers: { ...json, Host: `evil.example:${port}` }, body })).status, 403);
  assert.equal((await raw(url, { headers: { ...json, Host: 'localhost:1' }, body })).status, 403);
  assert.notEqual((await raw(url, { headers: { ...json, Origin: `http://${host}` }, body })).status, 403);
}

/** Waits until a condition holds. */
export async function until(condition) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail('the condition did not come to hold');
}

/** All tools, page by page. */
export async function allTools(client) {
  const tools = [];
  let cursor;
  let pages = 0;
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor });
    tools.push(...page.tools);
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== undefined);
  return { tools, pages };
}
