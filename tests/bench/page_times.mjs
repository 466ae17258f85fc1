// How long each page of the console takes to show what it is about, in Debian's Chromium, signed in by a link:
// node page_times.mjs LINK CERTIFICATE REQUEST TOKEN ENTRY. Says `NAME P50 P99 MAX` in milliseconds, a page a line.

import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { openWindow, startBrowser } from '../tests/browser.mjs';

const kRounds = 30;
const [, , link, certificate, request, token, entry] = process.argv;

// What a page shows when its data are there.
const pages = [
  ['approvals', '#/approvals', '.inbox-item'],
  ['history', '#/approvals?view=history', 'tbody tr'],
  ['approval', `#/approvals/${request}`, '.hops'],
  ['chains', `#/chains?token=${token}`, '.hops'],
  ['agents', '#/agents', 'tbody tr'],
  ['agent', '#/agents/agent-1', 'section:has(#keys-title) tbody tr'],
  ['audit', '#/audit', 'tbody tr'],
  ['audit_checkpoints', '#/audit', 'ul.checkpoints'],
  ['audit_entry', `#/audit/${entry}`, 'ol.proof'],
  ['health', '#/health', '.figure'],
];

/** Milliseconds from following a link to another page until what it is about stands there, laid out. Runs in the page. */
function show([fragment, wanted]) {
  const first = () => document.querySelector(wanted);
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const late = setTimeout(() => reject(new Error(`${fragment} shows no ${wanted}`)), 20_000);
    const watch = new MutationObserver(() => {
      if (!first()) return;
      watch.disconnect();
      clearTimeout(late);
      first().getBoundingClientRect();
      resolve(performance.now() - start);
    });
    watch.observe(document.body, { childList: true, subtree: true });
    location.hash = fragment;
  });
}

const at = (sorted, percent) => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];

const { publicKey } = new X509Certificate(readFileSync(certificate));
const hash = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
const browser = await startBrowser([`--ignore-certificate-errors-spki-list=${hash}`]);
try {
  const { page } = await openWindow(browser);
  await page.goto(link);
  await page.waitForSelector('.frame');
  for (const [name, fragment, wanted] of pages) {
    const times = [];
    for (let round = 0; round < kRounds; ++round) {
      await page.evaluate(() => {
        location.hash = '#/account';
      });
      await page.locator(wanted).first().waitFor({ state: 'detached' });
      times.push(await page.evaluate(show, [fragment, wanted]));
    }
    times.sort((one, other) => one - other);
    console.log(name, ...[at(times, 50), at(times, 99), times.at(-1)].map((time) => time.toFixed(2)));
  }
} finally {
  await browser.close();
}
