// Debian's Chromium with a passkey of its own, watched: whatever breaks the policy, fails to load or throws is a failure.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');
const axe = require('axe-core').source;

export const kSizes = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };

export async function startBrowser(args = []) {
  return chromium.launch({
    executablePath: process.env.CHANCERY_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost', ...args],
  });
}

/** A window, and what went wrong in it. `expected` lists what may: the daemon's refusals are told in the console too. */
export async function openWindow(browser, { size = 'wide', scheme = 'light', expected = [], ...more } = {}) {
  const context = await browser.newContext({ viewport: kSizes[size], colorScheme: scheme, reducedMotion: 'reduce', ...more });
  const problems = [];
  const note = (text) => {
    if (!expected.some((pattern) => pattern.test(text))) problems.push(text);
  };
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  context.on('page', (page) => {
    page.on('console', (message) => message.type() === 'error' && note(message.text()));
    page.on('pageerror', (error) => note(String(error)));
    page.on('dialog', (dialog) => {
      note(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  });
  const page = await context.newPage();
  return { context, page, problems };
}

/** A passkey in the browser, as a person's fingerprint would work. */
export async function addAuthenticator(context, page) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    }, // prettier-ignore
  });
  return { devtools, authenticatorId };
}

/** Makes Bob a passkey on the pages of the fake daemon and signs in with it. Gives the authenticator that holds it. */
export async function signInAsBob({ context, page }, origin) {
  const authenticator = await addAuthenticator(context, page);
  await page.goto(`${origin}/ui#/account`);
  await page.fill('#principal', 'user:bob@example.org');
  await page.getByRole('button', { name: 'Make a passkey' }).click();
  await page.getByText('The passkey is enrolled').first().waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('You are signed in with a passkey').waitFor();
  return authenticator;
}

/** What axe-core finds on the page as it is, in words. Its own code is brought by the debugger, which no policy binds. */
export async function accessibilityProblems(context, page) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Runtime.evaluate', { expression: `${axe};void 0` });
  const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', {
    expression: "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => JSON.stringify(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? n.all[0]?.message ?? '')).join(' | '))))",
    awaitPromise: true,
    returnByValue: true,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return JSON.parse(result.value);
}

/** Whether something is wider than the window, so that the whole page would have to be moved sideways. */
export function isTooWide(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}
