// What goes wrong on the way to Atlassian is said in words, and changes nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, person } from '../stage/browser.js';
import { changeWorld, demo } from '../stage/circuit.js';
import { accept, goToAtlassian, imported, makeIndex, openFeed, signIn } from '../stage/steps.js';

/** Longer than the ninety days for which an unused refresh token lives. */
const CONSENT_LIFE_MS = 100 * 24 * 3_600 * 1_000;

test('cancelling at Atlassian comes back to a page that says so', async () => {
  const circuit = await demo();
  const user = await person('cancel');
  await user.travels(async () => {
    await signIn(user, circuit);
    await makeIndex(user, 'Cancelled');
    await goToAtlassian(user);
    await user.press('Cancel');
    await user.page.waitForURL(`${circuit.url}/**`);
    await user.page.locator('main').getByText(/cancel/i).first().waitFor();
    await user.look('cancelled', { looks: ['light', 'dark', 'phone'] });
  });
  await circuit.stop();
});

test('a callback that nobody began is refused in words', async () => {
  const circuit = await demo();
  const user = await person('forged');
  await user.travels(async () => {
    await signIn(user, circuit);
    const answer = await user.page.goto(`${circuit.url}/connect/callback?state=forged&code=forged`);
    assert.ok(answer.status() >= 400 && answer.status() < 500, `it answers ${answer.status()}`);
    await user.page.locator('main').getByText(/does not belong/i).first().waitFor();
    await user.look('forged');
  });
  await circuit.stop();
});

test('an admin block leaves a page that says whom to ask', async () => {
  const circuit = await demo();
  const user = await person('blocked');
  await user.travels(async () => {
    await signIn(user, circuit);
    const index = await makeIndex(user, 'Blocked');
    await goToAtlassian(user);
    await changeWorld(circuit, 'block-site');
    await accept(user);
    await user.page.getByText(/admin must authorize/i).first().waitFor();
    await user.look('atlassian', { ours: false });
    await user.page.goto(index);
    await openFeed(user);
    await user.page.locator('main').getByText(/admin/i).first().waitFor();
    await user.look('connecting', { looks: ['light', 'dark', 'phone'] });
  });
  await circuit.stop();
});

test('a consent that has run out is made again without losing anything', async () => {
  const circuit = await demo('--connected');
  const user = await person('reconnect');
  const { page, press, look } = user;
  await user.travels(async () => {
    await signIn(user, circuit);
    await page.goto(`${circuit.url}/indexes/${circuit.index}`);
    await openFeed(user);
    await changeWorld(circuit, 'clock', { advance_ms: CONSENT_LIFE_MS });
    await press('Re-sync now');
    await eventually('the need to reconnect', () =>
      page.locator('[data-progress]').getByText(/needs reconnect/i).first().isVisible(),
    );
    await look('needs-reconnect', { looks: ['light', 'dark', 'phone'] });
    await press('Reconnect');
    await press('Continue to Atlassian');
    await page.locator('select[name=account]').waitFor();
    await accept(user);
    await page.waitForURL('**/feeds/**');
    await imported(user);
    await look('reconnected');
  });
  await circuit.stop();
});

test('a stranger is led to the sign-in page, whatever they ask for', async () => {
  const circuit = await demo();
  const user = await person('stranger');
  await user.travels(async () => {
    for (const path of ['/', '/indexes/1']) {
      await user.page.goto(`${circuit.url}${path}`);
      await user.page.getByRole('button', { name: 'Sign in' }).waitFor();
    }
    const answer = await user.page.goto(`${circuit.url}/sign-in/demo?token=wrong`);
    assert.ok(answer.status() >= 400 || (await user.page.getByRole('button', { name: 'Sign in' }).isVisible()));
  });
  await circuit.stop();
});

test('a page that is not there is a page', async () => {
  const circuit = await demo();
  const user = await person('not-found');
  await user.travels(async () => {
    await signIn(user, circuit);
    const answer = await user.page.goto(`${circuit.url}/nothing-is-here`);
    assert.equal(answer.status(), 404);
    await user.page.getByRole('heading', { level: 1 }).waitFor();
    await user.look('not-found', { looks: ['light', 'dark', 'phone'] });
  });
  await circuit.stop();
});
