// What goes wrong on the way to Atlassian is said in words, and changes nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { person } from '../stage/browser.js';
import { demo } from '../stage/circuit.js';
import { goToAtlassian, makeIndex, signIn } from '../stage/steps.js';

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
