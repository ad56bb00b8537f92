// A person finds a page, reads it here, follows its outline and a link, and comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { person } from '../stage/browser.js';
import { demo } from '../stage/circuit.js';
import { search, signIn } from '../stage/steps.js';

const EVERY_LOOK = { looks: ['light', 'dark', 'phone'] };

test('a hit is read here, with its outline, and the way back leads to the hits', async () => {
  const circuit = await demo('--connected');
  const user = await person('reading');
  const { page, look, leads } = user;
  await user.travels(async () => {
    await signIn(user, circuit);
    await page.goto(`${circuit.url}/indexes/${circuit.index}`);
    await search(user, 'pump runbook');
    const hits = page.url();
    const first = page.locator('.hits li').first();
    const title = (await first.locator('[data-title]').innerText()).trim();
    await leads(() => first.locator('[data-title]').click());
    await user.heading(title);
    await look('document', EVERY_LOOK);
    assert.equal(await page.locator('main img').count(), 0, 'nothing is loaded from elsewhere');

    const outline = page.getByRole('navigation', { name: 'On this page' });
    const entry = outline.getByRole('link').nth(1);
    const heading = (await entry.innerText()).trim();
    await entry.click();
    const target = page.locator('.text :target');
    assert.equal((await target.innerText()).trim(), heading);
    assert.ok(await target.evaluate((element) => element.getBoundingClientRect().top < window.innerHeight), 'it is in view');

    await page.goBack();
    await page.goBack();
    assert.equal(page.url(), hits);
    await page.locator('main mark').first().waitFor();

    // On a phone the outline is closed, and opens at a touch.
    await page.setViewportSize({ width: 390, height: 844 });
    await leads(() => first.locator('[data-title]').click());
    assert.equal(await outline.getByRole('link').first().isVisible(), false);
    await outline.getByText('On this page').click();
    await outline.getByRole('link').first().waitFor();
  });
  await circuit.stop();
});
