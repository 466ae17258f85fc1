// Opens every page of a build with the fake daemon, wide and narrow, light and dark: node look.mjs DIST [SCREENSHOTS].
// Fails on anything that axe-core finds, that breaks the policy or throws, and on a page that must be moved sideways.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { accessibilityProblems, isTooWide, openWindow, signInAsBob, startBrowser } from './browser.mjs';
import { FakeDaemon } from './fake_daemon.mjs';

const [, , dist, screenshots] = process.argv;
if (screenshots) mkdirSync(screenshots, { recursive: true });
const kPages = [
  ['approvals', '#/approvals', 'ul.inbox'],
  ['history', '#/approvals?view=history', 'table'],
  ['approval', `#/approvals/${'a1'.repeat(16)}`, '.chain-picture'],
  ['approval-hostile', `#/approvals/${'b2'.repeat(16)}`, '.chain-picture'],
  ['approval-tpm', `#/approvals/${'c3'.repeat(16)}`, '.json'],
  ['approval-used', `#/approvals/${'d4'.repeat(16)}`, '.votes'],
  ['agents', '#/agents', 'tbody tr'],
  ['agent', '#/agents/billing-agent-00010', 'ul.budgets'],
  ['audit', '#/audit', 'ul.checkpoints'],
  ['audit-entry', '#/audit/21', 'ol.proof'],
  ['health', '#/health', '.anomaly'],
  ['account', '#/account', '#enrol-title'],
  ['nowhere', '#/nowhere', '.empty'],
];
const failures = [];

async function look(window, name) {
  const { context, page } = window;
  for (const text of await accessibilityProblems(context, page)) failures.push(`${name}: ${text}`);
  if (await isTooWide(page)) failures.push(`${name}: wider than the window`);
  if ((await page.title()).includes('owned')) failures.push(`${name}: an agent's text was run`);
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}

async function lookAtChains(window, origin, suffix) {
  const { page } = window;
  for (const [kind, text] of [['valid', 'eyJ.a.b~eyJ.c.d'], ['denied', 'eyJ.expired']]) {
    await page.goto(`${origin}/ui#/chains`);
    await page.fill('#chain', text);
    await page.click('button[type=submit]');
    await page.waitForSelector('.hops');
    await look(window, `chains-${kind}${suffix}`);
  }
}

async function lookAtRevocation(window, origin, suffix) {
  const { page } = window;
  await page.goto(`${origin}/ui#/agents/billing-agent-00010`);
  await page.getByRole('button', { name: 'Revoke what it holds' }).click();
  await page.waitForSelector('dialog .facts');
  await look(window, `revoke${suffix}`);
  await page.keyboard.press('Escape');
}

const browser = await startBrowser();
for (const size of ['wide', 'narrow']) {
  for (const scheme of ['light', 'dark']) {
    const daemon = new FakeDaemon(dist);
    const origin = await daemon.listen();
    const window = await openWindow(browser, { size, scheme, expected: [/401/] });
    const suffix = `-${size}-${scheme}`;
    await window.page.goto(`${origin}/ui`);
    await window.page.waitForSelector('.sign-in-card pre');
    await look(window, `sign-in${suffix}`);
    await window.page.goto(`${origin}/ui#link=good-link-for-the-tests`);
    await window.page.waitForSelector('.frame');
    if (window.page.url().includes('link=')) failures.push('the link stays in the address');
    await signInAsBob(window, origin);
    for (const [name, fragment, wanted] of kPages) {
      await window.page.goto(`${origin}/ui${fragment}`);
      await window.page.waitForSelector(wanted).catch(() => failures.push(`${name}${suffix}: nothing of ${wanted}`));
      await look(window, name + suffix);
    }
    await lookAtChains(window, origin, suffix);
    await lookAtRevocation(window, origin, suffix);
    failures.push(...window.problems.map((text) => `${suffix}: ${text}`));
    await window.context.close();
    daemon.close();
  }
}
await browser.close();
for (const failure of failures) console.error(failure);
console.log(failures.length === 0 ? 'every page is as it must be' : `${failures.length} failures`);
process.exit(failures.length === 0 ? 0 : 1);
