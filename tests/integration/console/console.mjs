// The console with the real daemon, in a real browser: node --test console.mjs, with CHANCERY_BIN and CHANCERY_PAGES set.

import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, test } from 'node:test';

import { accessibilityProblems, startBrowser } from '../tests/browser.mjs';
import { Person } from './person.mjs';
import { Scene, kBareScript, kBob, kScript } from './scene.mjs';

let scene;
let browser;
let bob;
let early; // a link that nobody uses before it is too old
let earlyAt;

before(async () => {
  scene = await Scene.start(process.env.CHANCERY_BIN, process.env.CHANCERY_PAGES);
  browser = await startBrowser([`--ignore-certificate-errors-spki-list=${scene.certificateHash}`]);
  early = await scene.link();
  earlyAt = Date.now();
  bob = await Person.at(browser, scene);
});

after(async () => {
  await browser?.close();
  await scene?.end();
});

/** Nothing that broke the policy, failed to load or threw, and nothing that an agent wrote was run. */
async function nothingWasWrong(person, page = person.page) {
  assert.deepEqual(person.problems, []);
  assert.doesNotMatch(await page.title(), /owned/);
}

const stateIs = (page, state) => page.locator('.page-state .badge', { hasText: state }).waitFor();
const problemText = (page) => page.locator('.notice-bad').first().textContent();

test('a link signs in once, leaves the address, and a second use is told like any other', async () => {
  const link = await scene.link();
  await bob.signIn(link);
  assert.doesNotMatch(bob.page.url(), /link=/);
  await bob.page.goBack().catch(() => undefined);
  assert.doesNotMatch(bob.page.url(), /link=/);

  const other = await Person.at(browser, scene);
  await other.page.goto(link);
  assert.match(await problemText(other.page), /This link is not good/);
  await other.page.goto('about:blank'); // or the page would stay, with what it said before
  await other.page.goto(`${scene.origin}/ui#link=AAAAAAAAAAAAAAAAAAAAAA`);
  assert.match(await problemText(other.page), /This link is not good/);
  await nothingWasWrong(other);
  await other.leave();
});

test('the cookie is not for scripts, and other sites cannot send it', async () => {
  const cookies = await bob.context.cookies(scene.origin);
  assert.equal(cookies.length, 1);
  const [{ name, httpOnly, secure, sameSite, path }] = cookies;
  assert.deepEqual({ name, httpOnly, secure, sameSite, path }, { name: '__Host-chancery', httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
  await bob.open('#/approvals');
  assert.equal(await bob.page.evaluate(() => document.cookie), '');
});

test('without a passkey nothing can be decided or changed', async () => {
  const id = await scene.waiting({ amount: 150 });
  await bob.openRequest(id);
  assert.equal(await bob.page.getByRole('button', { name: 'Approve' }).count(), 0);
  await bob.open('#/agents/support');
  await bob.page.locator('#keys-title').waitFor();
  assert.equal(await bob.page.getByRole('button', { name: 'Freeze' }).count(), 0);
});

test('the operator enrols the first passkey, and signs in with it', async () => {
  await bob.enrol();
  await bob.usePasskey();
  const { approvers } = (await scene.onSocket('GET', '/v1/approvers')).body;
  assert.deepEqual(approvers.map(({ principal, keys }) => [principal, keys.map(({ kind }) => kind)]), [[kBob, ['passkey']]]);
  await nothingWasWrong(bob);
});

test('what waits appears by itself, and an approval lets exactly it through, once', async () => {
  await bob.open('#/approvals');
  const params = { amount: 101, charge: 'ch_1' };
  const id = await scene.waiting(params);
  await bob.page.locator(`a[href="#/approvals/${id}"]`).click();
  await bob.page.locator('#decide-title').waitFor();
  assert.match(await bob.page.locator('.json').first().textContent(), /"amount": 101,"charge": "ch_1"/);
  await bob.page.fill('#reason', 'Checked with the customer');
  await bob.decide('Approve');
  await stateIs(bob.page, 'approved');
  assert.equal(await scene.stateOf(id), 'approved');

  assert.equal((await scene.authorize({ ...params, amount: 102 })).outcome, 'approval_required');
  assert.equal((await scene.authorize(params)).decision, 'permit');
  assert.equal(await scene.stateOf(id), 'used');
  assert.equal((await scene.authorize(params)).outcome, 'approval_required');
  await nothingWasWrong(bob);
});

test('what is denied is denied', async () => {
  const params = { amount: 201 };
  const id = await scene.waiting(params);
  await bob.openRequest(id);
  await bob.decide('Deny');
  await stateIs(bob.page, 'denied');
  assert.equal(await scene.stateOf(id), 'denied');
  assert.equal((await scene.authorize(params)).decision, 'deny');
  await nothingWasWrong(bob);
});

test('of two tabs that decide at once one has decided', async () => {
  const other = await bob.secondTab();
  for (let round = 0; round < 5; ++round) {
    const id = await scene.waiting({ amount: 300 + round });
    await Promise.all([bob.openRequest(id), bob.openRequest(id, other)]);
    const held = await Promise.all([bob.held(), bob.held(other)]);
    await Promise.all([bob.decide('Approve'), bob.decide('Deny', other)]);
    await Promise.all(held.map(({ arrived }) => arrived)); // both are signed, and neither is sent
    for (const { letGo } of held) letGo();
    const statuses = await Promise.all(held.map(async ({ answered }) => (await answered).status()));
    assert.deepEqual(statuses.toSorted(), [200, 409]);
    const state = await scene.stateOf(id);
    assert.equal(state, statuses[0] === 200 ? 'approved' : 'denied');
    for (const page of [bob.page, other]) await stateIs(page, state);
    const { decisions } = (await scene.onSocket('GET', `/v1/approvals/${id}`)).body;
    assert.deepEqual(decisions.map(({ verdict }) => verdict), [state === 'approved' ? 'approve' : 'deny']);
  }
  await nothingWasWrong(bob, other);
  await other.close();
});

test('a document that is not what its hash says is approved by nobody', async () => {
  const id = await scene.waiting({ amount: 400 });
  await bob.open('#/approvals');
  await bob.page.evaluate(() => {
    const { fetch } = window;
    window.fetch = async (path, init) => {
      const answer = await fetch(path, init);
      if (!path.includes('/console/approvals/')) return answer;
      const view = await answer.json();
      view.approval.document.arguments.amount = 4;
      return new Response(JSON.stringify(view));
    };
  });
  await bob.openRequest(id);
  assert.match(await problemText(bob.page), /Approve nothing of this/);
  assert.equal(await bob.page.getByRole('button', { name: 'Approve' }).isDisabled(), true);
  await bob.page.reload();
  assert.equal(await scene.stateOf(id), 'pending');
});

test('a passkey signs nothing but what is shown, whatever the daemon asks it to', async () => {
  const [shown, meant] = [await scene.waiting({ amount: 500 }), await scene.waiting({ amount: 4999 })];
  await bob.open('#/approvals');
  await bob.page.evaluate((request) => {
    const { fetch } = window;
    window.fetch = (path, init) =>
      fetch(path, path === '/ui/decisions' ? { ...init, body: JSON.stringify({ ...JSON.parse(init.body), request }) } : init);
  }, meant);
  await bob.openRequest(shown);
  await bob.decide('Approve');
  assert.match(await bob.page.locator('section:has(#decide-title) .notice-bad').textContent(), /Nothing was signed/);
  await bob.page.reload();
  assert.deepEqual([await scene.stateOf(shown), await scene.stateOf(meant)], ['pending', 'pending']);
});

/** Asks as another site's page would have a browser ask: with the cookie, and with an origin of its own. */
function forged(path, headers) {
  return new Promise((resolve, reject) => {
    const all = { 'Content-Type': 'application/json', Host: `localhost:${scene.port}`, ...headers };
    const options = { method: 'POST', host: '127.0.0.1', port: scene.port, path, rejectUnauthorized: false, headers: all };
    const asked = request(options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    asked.on('error', reject);
    asked.end('{}');
  });
}

test('a request that another site forges is refused', async () => {
  const [{ name, value }] = await bob.context.cookies(scene.origin);
  const Cookie = `${name}=${value}`;
  const own = { Origin: scene.origin, 'X-Chancery-Console': await bob.mark() };
  assert.match(String(await forged('/ui/session/challenge', { ...own, Cookie })), /^20/); // the same, from the page itself
  const refusals = [
    [401, own],
    [403, { ...own, Cookie, Origin: 'https://evil.example' }],
    [401, { ...own, Cookie, 'X-Chancery-Console': '1' }], // a server on another port of localhost, which is sent the cookie
    [403, { Cookie, 'X-Chancery-Console': await bob.mark() }],
    [403, { Cookie, Origin: scene.origin }],
    [403, { ...own, Cookie, 'Sec-Fetch-Site': 'cross-site' }],
  ];
  for (const [status, headers] of refusals) assert.equal(await forged('/ui/session/challenge', headers), status, JSON.stringify(headers));
});

test('what changes something takes a passkey over exactly that', async () => {
  const [{ name, value }] = await bob.context.cookies(scene.origin);
  const headers = { Cookie: `${name}=${value}`, Origin: scene.origin, 'X-Chancery-Console': await bob.mark() };
  assert.equal(await forged('/ui/api/agents/mail/rotate', headers), 403);

  const keyOf = async () => (await scene.json(['agent', 'show', 'mail'])).jkt;
  const former = await keyOf();
  await bob.open('#/agents/mail');
  await bob.page.getByRole('button', { name: 'Rotate the key' }).click();
  await bob.page.getByRole('button', { name: 'Rotate', exact: true }).click();
  await bob.page.locator('dialog').waitFor({ state: 'detached' });
  assert.notEqual(await keyOf(), former);
  await nothingWasWrong(bob);
});

test('what an agent writes is shown in full and never run', async () => {
  const params = { amount: 101, note: kScript, '<script>owned()</script>': 'x', file: 'safe\u202egpj.exe', to: 'p\u0430ypal' };
  const id = await scene.waiting(params, scene.hostileChain);
  await bob.openRequest(id);
  const text = await bob.page.locator('.json').first().textContent();
  assert.match(text, /U\+202E right-to-left override/);
  assert.match(text, /U\+0430 Cyrillic letter, looks like a/);
  assert.ok(text.includes(kScript.replaceAll('"', '\\"')));
  assert.doesNotMatch(await bob.page.content(), /\u202e/);
  for (const fragment of ['#/approvals', '#/approvals?view=history', '#/agents/mail', '#/audit', '#/health']) {
    await bob.open(fragment);
    await bob.page.waitForLoadState('networkidle');
    await nothingWasWrong(bob);
  }
  await bob.open('#/chains');
  await bob.page.fill('#chain', scene.hostileChain);
  await bob.page.getByRole('button', { name: 'Explain' }).click();
  await bob.page.locator('.hops').waitFor();
  assert.ok((await bob.page.locator('main').textContent()).includes(kScript));
  await nothingWasWrong(bob);
});

test('what an agent, its delegator and an approver write is not run where the log shows it', async () => {
  const params = { amount: 102, note: kScript };
  const id = await scene.waiting(params, scene.hostileChain, { 'Chancery-Task': kScript });
  await bob.openRequest(id);
  assert.ok((await bob.page.locator('section:has(#who-title)').textContent()).includes(kScript)); // the principal
  await bob.page.fill('#reason', kScript);
  await bob.decide('Deny');
  await stateIs(bob.page, 'denied');
  assert.ok((await bob.page.locator('.vote-reason').textContent()).includes(kScript));
  const { entries } = (await scene.onSocket('GET', `/v1/audit/entries?ref=${id}&limit=100`)).body;
  const hostile = entries.filter(({ entry }) => JSON.stringify(entry).includes('<script>'));
  assert.ok(hostile.some(({ entry }) => entry.task === kScript), 'a task stands in an entry');
  assert.ok(hostile.some(({ entry }) => entry.action === 'approval.deny'), 'a reason stands in an entry');
  await bob.open(`#/audit?ref=${id}`);
  await bob.page.locator('tbody tr').first().waitFor();
  await nothingWasWrong(bob);
  for (const { number } of hostile) {
    await bob.open(`#/audit/${number}`);
    await bob.page.locator('.json').first().waitFor();
    assert.ok((await bob.page.locator('.json').first().textContent()).includes(kScript.replaceAll('"', '\\"')));
    await nothingWasWrong(bob);
  }
});

test('what a trusted issuer and its agents wrote past the daemon is not run either', async () => {
  const id = await scene.waitingOffline({ amount: 101 });
  const { document } = (await scene.onSocket('GET', `/v1/approvals/${id}`)).body;
  assert.ok(document.client_id.includes(kScript));
  assert.ok(document.uri.includes(kBareScript));
  assert.equal(document.audience, kScript);
  assert.deepEqual(Object.keys(document.debits), [`payments.refund#${kScript}`]);
  for (const [fragment, wanted] of [['#/approvals', '.inbox'], [`#/approvals/${id}`, '.page-state']]) {
    await bob.open(fragment);
    await bob.page.locator(wanted).waitFor();
    await nothingWasWrong(bob);
  }
  const shown = await bob.page.locator('main').textContent();
  for (const text of [document.client_id, kBareScript, document.principal]) assert.ok(shown.includes(text), text);
  await bob.open('#/chains');
  await bob.page.fill('#chain', scene.offline.chain.join('~'));
  await bob.page.getByRole('button', { name: 'Explain' }).click();
  await bob.page.locator('.hops').waitFor();
  const explained = await bob.page.locator('main').textContent();
  for (const text of [`agent/below ${kScript}`, kBareScript, `crm.read#${kScript}`]) assert.ok(explained.includes(text), text);
  assert.doesNotMatch(await bob.page.content(), /\u202e/);
  await nothingWasWrong(bob);
});

test('a request that the operator cancels is decided by nobody', async () => {
  const params = { amount: 600 };
  const id = await scene.waiting(params);
  await bob.openRequest(id);
  await bob.page.getByRole('button', { name: 'Cancel the request' }).click();
  await bob.page.getByRole('button', { name: 'Cancel it' }).click();
  await stateIs(bob.page, 'cancelled');
  assert.equal(await scene.stateOf(id), 'cancelled');
  await nothingWasWrong(bob);
});

test('the audit log says who decided, and each entry is proved in the browser', async () => {
  await bob.open('#/audit?action=console.');
  await bob.page.locator('tbody tr').first().waitFor();
  await scene.onSocket('POST', '/v1/audit/checkpoints', {});
  await bob.page.locator('tbody a').first().click();
  await bob.page.locator('ol.proof').waitFor();
  assert.equal(await bob.page.locator('ol.proof .badge-good').count(), 3);
  await nothingWasWrong(bob);
});

test('every page is accessible', async () => {
  for (const fragment of ['#/approvals', '#/approvals?view=history', '#/chains', '#/agents', '#/agents/support', '#/audit', '#/health', '#/account']) {
    await bob.open(fragment);
    await bob.page.locator('main h1').first().waitFor();
    await bob.page.waitForLoadState('networkidle');
    assert.deepEqual([fragment, await accessibilityProblems(bob.context, bob.page)], [fragment, []]);
  }
});

const dialogIsGone = () => bob.page.locator('dialog').waitFor({ state: 'detached' });
const freezes = async () => (await scene.onSocket('GET', '/v1/freeze')).body;

test('an agent that is frozen on its page signs nothing, and no other is', async () => {
  assert.equal((await scene.authorize({ amount: 3 })).decision, 'permit');
  await bob.open('#/agents/support');
  await bob.page.getByRole('button', { name: 'Freeze' }).click();
  await bob.page.fill('#action-reason', 'it was injected');
  await bob.page.locator('dialog').getByRole('button', { name: 'Freeze' }).click();
  await dialogIsGone();
  const { frozen, agents } = await freezes();
  assert.deepEqual([frozen, agents], [false, ['support']]);
  await assert.rejects(scene.authorize({ amount: 3 }), /the agent is frozen/);
  await bob.open('#/health');
  await bob.page.locator('section:has(#freeze-title) a', { hasText: 'support' }).waitFor();
  await scene.chancery(['agent', 'unfreeze', 'support']);
  assert.equal((await scene.authorize({ amount: 3 })).decision, 'permit');
  await nothingWasWrong(bob);
});

test('all agents are frozen on the Health page, until the operator lifts that', async () => {
  await bob.open('#/health');
  const freezeAll = bob.page.getByRole('button', { name: 'Freeze all agents' });
  await freezeAll.click();
  await bob.page.fill('#action-reason', 'the host was taken over');
  await bob.page.getByRole('button', { name: 'Freeze all', exact: true }).click();
  await dialogIsGone();
  await bob.page.locator('.notice-bad', { hasText: 'All agents are frozen' }).waitFor();
  assert.equal(await freezeAll.isDisabled(), true);
  const { frozen, reason } = await freezes();
  assert.deepEqual([frozen, reason], [true, 'the host was taken over']);
  await assert.rejects(scene.authorize({ amount: 3 }), /all agents are frozen/);

  await scene.chancery(['freeze', 'lift']);
  await bob.open('#/approvals');
  await bob.open('#/health');
  await bob.page.getByText('agents may sign').waitFor();
  assert.equal(await freezeAll.isEnabled(), true);
  assert.equal((await scene.authorize({ amount: 3 })).decision, 'permit');
  await nothingWasWrong(bob);
});

test('a revocation shows its impact first, and ends what the agent held', async () => {
  assert.equal((await scene.authorize({ amount: 5 })).decision, 'permit');
  await bob.open('#/agents/support');
  await bob.page.getByRole('button', { name: 'Revoke what it holds' }).click();
  await bob.page.locator('dialog .facts').waitFor();
  await bob.page.fill('#action-reason', 'it was injected');
  await bob.page.getByRole('button', { name: 'Revoke for good' }).click();
  await bob.page.locator('dialog').waitFor({ state: 'detached' });
  await assert.rejects(scene.authorize({ amount: 5 }), /the token was revoked/);
  await nothingWasWrong(bob);
});

test('a link that is too old is refused', async () => {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, earlyAt + 61_000 - Date.now())));
  const late = await Person.at(browser, scene);
  await late.page.goto(early);
  assert.match(await problemText(late.page), /This link is not good/);
  await late.leave();
});

test('who signed out is out', async () => {
  const [{ value }] = await bob.context.cookies(scene.origin);
  await bob.page.getByRole('button', { name: 'Sign out' }).click();
  await bob.page.getByText('ask for a link').waitFor();
  await bob.context.addCookies([{ name: '__Host-chancery', value, url: scene.origin, secure: true, httpOnly: true, sameSite: 'Strict' }]);
  await bob.page.reload();
  await bob.page.getByText('ask for a link').waitFor();
  await nothingWasWrong(bob);
});
