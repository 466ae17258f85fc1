// Uses the pages of a build as people do, with the fake daemon: node --test use.mjs, with CHANCERY_PAGES set.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { openWindow, signInAsBob, startBrowser } from './browser.mjs';
import { FakeDaemon } from './fake_daemon.mjs';

let browser;
let daemon;
let origin;
let window;
let page;

before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const problems = [];

beforeEach(async () => {
  problems.push(...(window?.problems ?? []));
  await window?.context.close();
  daemon?.close();
  daemon = new FakeDaemon(process.env.CHANCERY_PAGES);
  origin = await daemon.listen();
  window = await openWindow(browser, { expected: [/status of 40[0139]/, /ERR_(CONNECTION_REFUSED|FAILED)/] });
  page = window.page;
  await page.goto(`${origin}/ui#link=good-link-for-the-tests`);
  await page.waitForSelector('.inbox');
});
after(async () => {
  await window?.context.close();
  daemon?.close();
});

const open = (fragment) => page.goto(`${origin}/ui${fragment}`);

const takePasskey = () => signInAsBob(window, origin);
const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent);
const kRefund = `#/approvals/${'a1'.repeat(16)}`;

test('the keyboard alone leads to a request and decides it', async () => {
  await takePasskey();
  await open('#/approvals');
  await page.reload(); // nothing has the focus then
  await page.locator('.inbox').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the page');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'page');
  for (let step = 0; step < 3; ++step) await page.keyboard.press('Tab'); // past the two tabs
  await page.keyboard.press('Enter');
  await page.locator('#decide-title').waitFor();
  assert.equal(await focused(), 'page');
  assert.match(await page.title(), /Call files.send/); // which ends first
  await page.locator('#reason').focus();
  await page.keyboard.type('Checked');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Approve');
  await page.keyboard.press('Enter');
  await page.locator('.page-state .badge', { hasText: 'approved' }).waitFor();
  const [{ verdict, reason }] = daemon.approvals.find(({ tool }) => tool === 'files.send').decisions;
  assert.deepEqual([verdict, reason], ['approve', 'Checked']);
});

test('the inbox says what tells one request from another, and the request what changed since the last one', async () => {
  const row = page.locator('.inbox-item', { hasText: 'payments.refund' });
  await row.getByText('amount 101').waitFor();
  await row.getByText('high risk').waitFor();
  await row.getByText('by support-agent').waitFor();
  await open(kRefund);
  const changed = page.locator('table.diff tr.diff-changed', { hasText: 'arguments › amount' });
  assert.match(await changed.innerText(), /250[\s\S]*101/);
});

test('the history comes newest first, a page at a time', async () => {
  const [first] = daemon.approvals;
  for (let at = 0; at < 60; ++at) daemon.approvals.push({ ...first, id: String(at).padStart(32, '0'), tool: `tool.${at}`, state: 'denied', ended_at: first.asked_at });
  await open('#/approvals?view=history');
  await page.locator('tbody tr').first().waitFor();
  assert.match(await page.locator('tbody tr').first().innerText(), /tool\.59/);
  assert.equal(await page.locator('tbody tr').count(), 50);
  await page.getByRole('button', { name: 'Older' }).click();
  await page.locator('tbody tr', { hasText: 'tool.0' }).waitFor();
  assert.equal(await page.locator('tbody tr').count(), 11);
  await page.getByRole('button', { name: 'Newer' }).click();
  await page.locator('tbody tr', { hasText: 'tool.59' }).waitFor();
});

test('what is new in the inbox is told to who does not see it', async () => {
  const [first] = daemon.approvals;
  daemon.approvals.push({ ...first, id: 'e5'.repeat(16) });
  await page.locator('[role=status]', { hasText: '1 new request' }).waitFor({ state: 'attached' });
  assert.equal(await page.locator('.inbox-item').count(), 4);
});

test('a full inbox is shown in parts, what ends soonest first', async () => {
  const [first] = daemon.approvals;
  daemon.approvals = [];
  for (let at = 0; at < 120; ++at) {
    daemon.approvals.push({ ...first, id: String(at).padStart(32, '0'), tool: `tool.${at}`, expires_at: first.expires_at + 9000 - 60 * at });
  }
  await open('#/account');
  await open('#/approvals');
  await page.getByText('120 requests waiting').waitFor();
  const subjects = () => page.locator('.inbox-what').allTextContents();
  assert.deepEqual((await subjects()).slice(0, 2), ['Call tool.119', 'Call tool.118']);
  assert.equal((await subjects()).length, 50);
  await page.getByRole('button', { name: 'Show 50 more' }).click();
  await page.getByRole('button', { name: 'Show 20 more' }).click();
  await page.getByRole('button', { name: /^Show/ }).waitFor({ state: 'detached' });
  assert.match(await focused(), /Call tool\.19/);
  await page.locator('[role=status]', { hasText: '20 more requests shown' }).waitFor({ state: 'attached' });
  assert.equal((await subjects()).at(-1), 'Call tool.0');
  assert.equal((await subjects()).length, 120);
});

test('a daemon that wants something else signed gets no signature', async () => {
  await takePasskey();
  daemon.forged = '00'.repeat(32);
  await open(kRefund);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Nothing was signed').waitFor();
  assert.equal(daemon.approvals[0].state, 'pending');
});

test('a second passkey takes the word of the first, over exactly its enrolment', async () => {
  await takePasskey();
  const enrol = async (groups) => {
    await open('#/account');
    await page.reload();
    await page.fill('#principal', 'user:carol@example.org');
    await page.fill('#groups', groups);
    await page.getByRole('button', { name: 'Make a passkey' }).click();
  };
  await enrol('group:finance');
  await page.getByText('without `group:`').waitFor();
  assert.equal(daemon.passkeys.length, 1);
  await enrol('finance, audit');
  await page.getByText('The passkey is enrolled').first().waitFor();
  assert.deepEqual(daemon.passkeys.map(({ principal }) => principal), ['user:bob@example.org', 'user:carol@example.org']);
  daemon.forged = '00'.repeat(32);
  await enrol('');
  await page.getByText('Nothing was signed').waitFor();
  assert.equal(daemon.passkeys.length, 2);
});

test('a gate that a TPM enforces is not approved here, and can be denied', async () => {
  await takePasskey();
  await open(`#/approvals/${'c3'.repeat(16)}`);
  await page.locator('#decide-title').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Approve' }).isDisabled(), true);
  await page.getByRole('button', { name: 'Deny' }).click();
  await page.locator('.page-state .badge', { hasText: 'denied' }).waitFor();
});

test('what was decided meanwhile is told', async () => {
  await takePasskey();
  await open(kRefund);
  await page.locator('#decide-title').waitFor();
  await page.evaluate(() => {
    const { fetch } = window;
    window.fetch = (path, init) => (path.includes('/console/approvals/') ? new Promise(() => undefined) : fetch(path, init));
  });
  daemon.approvals[0].state = 'denied';
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('decided meanwhile').waitFor();
});

test('without a passkey there is nothing to decide with', async () => {
  await open(kRefund);
  await page.getByText('Sign in with a passkey to decide here').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0);
});

test('ten thousand agents are a search and some pages away', async () => {
  await open('#/agents');
  const names = () => page.locator('tbody th').allTextContents();
  await page.locator('tbody tr').nth(49).waitFor();
  const first = await names();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('Page 2').waitFor();
  await page.waitForFunction((name) => document.querySelector('tbody th')?.textContent !== name, first[0]);
  assert.ok((await names()).every((name) => !first.includes(name)));
  await page.getByRole('button', { name: 'Before' }).click();
  await page.waitForFunction((name) => document.querySelector('tbody th')?.textContent === name, first[0]);
  await page.getByRole('searchbox').fill('stock-agent-0999');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  assert.deepEqual(await names(), ['stock-agent-09998']);
  await page.getByRole('searchbox').fill('nobody');
  await page.getByText('No agent is called so').waitFor();
});

test('an action is confirmed for exactly what is sent, and a closed window gives the focus back', async () => {
  await takePasskey();
  await open('#/agents/billing-agent-00010');
  const button = page.getByRole('button', { name: 'Freeze' });
  await button.focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.equal(await focused(), 'Freeze');
  await button.click();
  await page.fill('#action-reason', 'it was injected');
  await page.locator('dialog').getByRole('button', { name: 'Freeze' }).click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(daemon.done, [{ path: '/ui/api/agents/billing-agent-00010/freeze', body: '{"reason":"it was injected"}' }]);
  await page.locator('.page-state .badge', { hasText: 'frozen' }).waitFor();
  assert.equal(await focused(), 'page'); // the button can be pressed no more
});

const freezing = async () => {
  await open('#/agents/billing-agent-00010');
  await page.getByRole('button', { name: 'Freeze' }).click();
  await page.fill('#action-reason', 'it was injected');
  await page.locator('dialog').getByRole('button', { name: 'Freeze' }).click();
  await page.getByText('Waiting for the passkey').waitFor();
};

test('whoever closes the window while the passkey is asked has done nothing', async () => {
  const { devtools, authenticatorId } = await takePasskey();
  const answers = (enabled) => devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  let answer = () => undefined;
  await page.route('**/ui/confirmations', async (route) => {
    await new Promise((resolve) => (answer = resolve)); // nobody is asked for the passkey before
    await route.continue();
  });
  for (const leave of [() => page.keyboard.press('Escape'), () => page.getByRole('button', { name: 'Cancel' }).click(), () => open('#/health')]) {
    await freezing();
    await page.waitForTimeout(50);
    await leave();
    await page.locator('dialog').waitFor({ state: 'detached' });
    answer();
    await open(kRefund);
    await page.locator('#decide-title').waitFor();
    assert.deepEqual(daemon.done, []);
  }
  await page.unroute('**/ui/confirmations');
  for (const leave of [() => page.keyboard.press('Escape'), () => page.getByRole('button', { name: 'Cancel' }).click(), () => open('#/health')]) {
    await answers(false);
    await freezing();
    await leave();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await answers(true);
    await open(kRefund); // which is asked for after all that the former page would have sent
    await page.locator('#decide-title').waitFor();
    assert.deepEqual(daemon.done, []);
  }
  await page.getByRole('button', { name: 'Deny' }).click(); // and the next prompt is not in the way of a former one
  await page.locator('.page-state .badge', { hasText: 'denied' }).waitFor();
});

test('a request is cancelled with the passkey’s word', async () => {
  await takePasskey();
  await open(kRefund);
  await page.getByRole('button', { name: 'Cancel the request' }).click();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await page.locator('.page-state .badge', { hasText: 'cancelled' }).waitFor();
  assert.deepEqual(daemon.done, [{ path: `/ui/api/approvals/${'a1'.repeat(16)}`, body: '' }]);
});

test('a passkey is replaced by one of another device, for which it vouches', async () => {
  await takePasskey();
  const former = daemon.passkeys[0];
  daemon.passkeys[0].groups = ['audit', 'finance'];
  await open('#/account');
  await page.getByRole('button', { name: 'Replace this passkey' }).click();
  await page.getByText('The passkey is replaced').first().waitFor();
  assert.equal(daemon.passkeys.length, 1);
  assert.notEqual(daemon.passkeys[0].jkt, former.jkt);
  assert.deepEqual([daemon.passkeys[0].principal, daemon.passkeys[0].groups], [former.principal, former.groups]);
});

test('another tab of the same origin is signed in too, and a cookie alone is not', async () => {
  const other = await window.context.newPage();
  await other.goto(`${origin}/ui#/agents`);
  await other.locator('tbody tr').first().waitFor();
  await page.goto('about:blank');
  await other.goto('about:blank');
  const late = await window.context.newPage();
  await late.goto(`${origin}/ui#/agents`);
  await late.getByText('ask for a link').waitFor();
  assert.equal((await window.context.cookies(origin)).length, 1);
});

test('a link that opens nothing takes nothing from who is signed in', async () => {
  await open('#/agents');
  await page.locator('tbody tr').first().waitFor();
  await open('#link=bad-link-for-the-tests');
  await page.locator('[role=status]', { hasText: 'You are still signed in' }).waitFor({ state: 'attached' });
  await page.locator('.inbox').waitFor();
  assert.match(page.url(), /#\/approvals$/);
});

test('who could not be signed out is not told so', async () => {
  await page.route('**/ui/session', (route) => (route.request().method() === 'DELETE' ? route.abort() : route.continue()));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are still signed in').waitFor();
  await page.unroute('**/ui/session');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('ask for a link').waitFor();
  assert.equal(daemon.sessions.size, 0);
});

test('an identifier is followed through the audit log', async () => {
  await open('#/audit');
  await page.locator('ul.checkpoints').waitFor();
  assert.equal(await page.locator('ul.checkpoints .badge-bad').count(), 0);
  await page.locator('tbody a', { hasText: '…' }).first().click();
  await page.getByText('Following').waitFor();
  assert.match(page.url(), /ref=[0-9a-f]{64}/);
  await page.fill('input[type=search]', '17');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Entry 17' }).waitFor();
});

test('an entry that was altered is found out', async () => {
  daemon.log.entries[20] = { ...daemon.log.entries[20], outcome: 'deny' };
  await open('#/audit/21');
  await page.locator('ol.proof').waitFor();
  assert.deepEqual(await page.locator('ol.proof .badge').allTextContents(), ['✕fails', '✓holds', '✕fails']);
});

test('the theme is chosen, and kept', async () => {
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.locator('.theme-switch select').selectOption('dark');
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.locator('.inbox').waitFor();
  assert.equal(await ground(), dark);
});

test('a daemon that is gone is told, and found again', async () => {
  await open('#/health');
  await page.locator('.figures').waitFor();
  const { port } = daemon.server.address();
  daemon.close();
  await open('#/audit');
  await page.getByText('does not answer').first().waitFor();
  await daemon.listen(port);
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await page.locator('table.entries').waitFor();
});

test('a session that ended asks to sign in, and a link in the same tab does so', async () => {
  daemon.sessions.clear();
  await open('#/agents');
  await page.getByText('You are signed out').waitFor();
  daemon.links.set('another-link', {});
  await page.evaluate(() => {
    location.hash = '#link=another-link';
  });
  await page.locator('.inbox').waitFor();
  assert.doesNotMatch(page.url(), /link/);
});

test('nothing of it broke the policy or threw', () => assert.deepEqual(problems, []));
