// The first visit to a fresh Circuit makes the administrator's account; later visits sign in.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { person } from '../stage/browser.js';
import { serve } from '../stage/circuit.js';

const EMAIL = 'ann@example.org';
const PASSWORD = 'a long enough password, surely';

test('the first visitor makes the account, and signs in again after a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'circuit-e2e-'));
  const user = await person('set-up');
  const { page, look, heading, press, context } = user;
  await user.travels(async () => {
    const fresh = await serve(dataDir);
    await page.goto(fresh.url);
    await heading(/Welcome to Circuit/);
    await look('welcome', { looks: ['light', 'dark', 'phone'] });
    await page.getByLabel(/e-?mail/i).first().fill(EMAIL);
    const name = page.getByLabel('Name').first();
    if (await name.isVisible()) await name.fill('Ann Example');
    for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD);
    await press('Create account');
    await heading('Indexes');
    await look('first-page');
    await fresh.stop();

    const again = await serve(dataDir);
    await context.clearCookies();
    await page.goto(again.url);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await look('sign-in', { looks: ['light', 'dark', 'phone'] });
    await signIn('not the password');
    assert.equal(await page.getByRole('heading', { level: 1, name: 'Indexes' }).count(), 0, 'a wrong password is let in');
    await page.getByRole('alert').first().waitFor();
    await look('wrong-password');
    await signIn(PASSWORD);
    await heading('Indexes');
    await again.stop();
  });
  rmSync(dataDir, { recursive: true, force: true });

  async function signIn(password) {
    await page.getByLabel(/e-?mail/i).first().fill(EMAIL);
    await page.locator('input[type=password]').first().fill(password);
    await user.leads(() => press('Sign in'));
  }
});
