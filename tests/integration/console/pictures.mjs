// Pictures of the console's pages as they look now, light and dark: node pictures.mjs BIN PAGES FOLDER.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { startBrowser } from '../tests/browser.mjs';
import { Person } from './person.mjs';
import { Scene } from './scene.mjs';

const [, , bin, pages, folder] = process.argv;
mkdirSync(folder, { recursive: true });
const scene = await Scene.start(resolve(bin), resolve(pages));
const browser = await startBrowser([`--ignore-certificate-errors-spki-list=${scene.certificateHash}`]);
try {
  const bob = await Person.at(browser, scene);
  await bob.page.goto(`${scene.origin}/ui`);
  await bob.page.locator('.sign-in-card pre').first().waitFor();
  const shoot = async (name) => {
    for (const scheme of ['light', 'dark']) {
      await bob.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await bob.page.screenshot({ path: join(folder, `${name}-${scheme}.png`) });
    }
  };
  await shoot('sign-in');
  await bob.signIn();
  await bob.enrol();
  await bob.usePasskey();
  const earlier = await scene.waiting({ amount: 120, charge: 'ch_7', note: 'Returned' });
  const id = await scene.waiting({ amount: 250, charge: 'ch_9', to: 'p\u0430ypal.example', file: 'safe\u202egpj.exe' });
  await bob.open('#/approvals');
  await bob.page.locator('.inbox-item').first().waitFor();
  await shoot('approvals');
  await bob.openRequest(id);
  await shoot('approval');
  await bob.openRequest(earlier);
  await bob.page.getByRole('button', { name: 'Deny' }).click();
  await bob.page.locator('.page-state .badge', { hasText: 'denied' }).waitFor();
  await bob.open('#/approvals?view=history');
  await bob.page.locator('tbody tr').first().waitFor();
  await shoot('history');
  await bob.open('#/chains');
  await bob.page.fill('#chain', scene.chain);
  await bob.page.getByRole('button', { name: 'Explain' }).click();
  await bob.page.locator('.hops').waitFor();
  await bob.page.locator('#picture-title').scrollIntoViewIfNeeded();
  await shoot('chains');
  for (const [name, fragment, wanted] of [['agents', '#/agents', 'tbody tr'], ['agent', '#/agents/support', '#keys-title'], ['audit', '#/audit', 'ul.checkpoints'], ['audit-entry', '#/audit/5', 'ol.proof'], ['health', '#/health', '.figure'], ['passkeys', '#/account', '#principal']]) {
    await bob.open(fragment);
    await bob.page.locator(wanted).first().waitFor();
    await bob.page.waitForLoadState('networkidle');
    await shoot(name);
  }
} finally {
  await browser.close();
  await scene.end();
}
