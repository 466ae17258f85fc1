// A person at a browser with a passkey, and what they do on the pages.

import { addAuthenticator, openWindow } from '../tests/browser.mjs';
import { kBob } from './scene.mjs';

export class Person {
  static async at(browser, scene, options = {}) {
    const person = new Person();
    person.scene = scene;
    Object.assign(person, await openWindow(browser, { expected: [/status of 40[139]/], ...options }));
    person.authenticator = await addAuthenticator(person.context, person.page);
    return person;
  }

  async open(fragment, page = this.page) {
    await page.goto(`${this.scene.origin}/ui${fragment}`);
  }

  async signIn(link) {
    await this.page.goto(link ?? (await this.scene.link()));
    await this.page.waitForSelector('.frame');
  }

  /** The first passkey needs nobody's word but the operator's. */
  async enrol() {
    await this.open('#/account');
    await this.page.fill('#principal', kBob);
    await this.page.getByRole('button', { name: 'Make a passkey' }).click();
    await this.page.getByText('The passkey is enrolled').first().waitFor();
    await this.page.reload();
  }

  async usePasskey() {
    await this.open('#/account');
    await this.page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await this.page.getByText('You are signed in with a passkey').waitFor();
  }

  /** Another tab of the same browser, in which the same passkey answers. */
  async secondTab() {
    const page = await this.context.newPage();
    const { devtools, authenticatorId } = await addAuthenticator(this.context, page);
    const { credentials } = await this.authenticator.devtools.send('WebAuthn.getCredentials', { authenticatorId: this.authenticator.authenticatorId });
    for (const credential of credentials) await devtools.send('WebAuthn.addCredential', { authenticatorId, credential });
    return page;
  }

  async openRequest(id, page = this.page) {
    await this.open(`#/approvals/${id}`, page);
    await page.locator('#decide-title').waitFor();
  }

  /** What the page shows in each request to be of its session. */
  mark(page = this.page) {
    return page.evaluate(() => sessionStorage.getItem('chancery-console'));
  }

  /** Keeps the page's next decision from being sent until it is let go; `answered` is what comes of it. */
  async held(page = this.page) {
    const held = { answered: page.waitForResponse((response) => response.url().endsWith('/decision')) };
    held.arrived = new Promise((resolve) => (held.arrive = resolve));
    const letGo = new Promise((resolve) => (held.letGo = resolve));
    const hold = async (route) => {
      held.arrive();
      await letGo;
      await route.continue();
    };
    await page.route('**/decision', hold, { times: 1 });
    return held;
  }

  /** Presses a button of the decision, and waits for what comes of it. */
  async decide(verdict, page = this.page) {
    await page.getByRole('button', { name: verdict, exact: true }).click();
  }

  async leave() {
    await this.context.close();
  }
}
