// A new user connects Confluence, picks spaces, watches the import, and finds a page with its author.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, person } from '../stage/browser.js';
import { changeWorld, demo } from '../stage/circuit.js';
import { HIT, accept, goToAtlassian, imported, makeIndex, search, searchBox, signIn } from '../stage/steps.js';

/** What each answer of Atlassian takes while the import is looked at. */
const SLOW_MS = 250;
/** The site that holds most of the demo's company. */
const MAIN_SITE = /norrhav(?!-)/;
const EVERY_LOOK = { looks: ['light', 'dark', 'phone'] };

test('a new user connects Confluence, imports spaces and finds a page', async () => {
  const circuit = await demo();
  const user = await person('first-hour');
  const { page, look, heading, press } = user;
  await user.travels(async () => {
    await signIn(user, circuit);
    await look('indexes-empty', EVERY_LOOK);

    const index = await makeIndex(user, 'Company knowledge', { look });
    await look('index-empty');
    let callback;
    page.on('request', (request) => {
      if (request.url().includes('/connect/callback')) callback = request.url();
    });
    await goToAtlassian(user, { look });
    await look('atlassian', { ours: false });

    await accept(user);
    await heading('Choose a site');
    await look('choose-site', EVERY_LOOK);
    await page.getByRole('radio', { name: MAIN_SITE }).check();
    await press('Continue');

    await heading('Choose spaces');
    await filtersSpaces(page);
    for (const space of await page.locator('main').getByRole('checkbox').all()) await space.check();
    await look('choose-spaces', EVERY_LOOK);
    await changeWorld(circuit, 'faults', { latency_ms: SLOW_MS });
    await press('Done');
    await page.locator('[data-progress]').getByText(/importing/i).first().waitFor();
    await look('importing', EVERY_LOOK);
    await changeWorld(circuit, 'faults', { clear: true });
    await imported(user);
    await look('feed', EVERY_LOOK);

    const replayed = await page.request.get(callback, { maxRedirects: 0 });
    assert.ok(replayed.status() >= 400 && replayed.status() < 500, `a replayed callback answers ${replayed.status()}`);

    await page.goto(index);
    await press('Search');
    await search(user, 'pump runbook');
    await look('search', EVERY_LOOK);
    const best = await firstHit(circuit, index, 'pump runbook');
    const shown = await page.locator('main').innerText();
    assert.ok(shown.includes(best.title), `${best.title} is not on the page`);
    assert.ok(shown.includes(best.author.name), `its author, ${best.author.name}, is not on the page`);
    assert.equal(await page.locator(HIT).first().getAttribute('href'), best.url);

    for (const tab of ['Documents', 'Integrations', 'Settings']) {
      await user.leads(() => press(tab));
      await look(tab.toLowerCase(), EVERY_LOOK);
    }
    for (const [name, path] of [['indexes', '/'], ['account', '/account'], ['atlassian-app', '/admin/atlassian']]) {
      await page.goto(circuit.url + path);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await look(name, EVERY_LOOK);
    }
  });
  await circuit.stop();
});

test('the keyboard alone reaches the search box and the first hit', async () => {
  const circuit = await demo('--connected');
  const user = await person('keyboard');
  const { page } = user;
  await user.travels(async () => {
    await signIn(user, circuit);
    await page.goto(`${circuit.url}/indexes/${circuit.index}`);
    await searchBox(page).waitFor();
    // As a visitor who has not clicked anywhere: the next Tab begins at the top of the page.
    await page.evaluate(() => {
      document.body.tabIndex = -1;
      document.body.focus();
    });
    await user.tabTo('main input[type=search], main input[name=q]');
    await page.keyboard.type('pump');
    await user.leads(() => page.keyboard.press('Enter'));
    await page.locator('main mark').first().waitFor();
    await user.tabTo(HIT);
    await user.look('first-hit', { looks: ['light', 'phone'] });
  });
  await circuit.stop();
});

/** The filter hides what does not match and shows it again. */
async function filtersSpaces(page) {
  const boxes = page.locator('main').getByRole('checkbox');
  const all = await boxes.count();
  assert.ok(all >= 4, `only ${all} spaces are offered`);
  const filter = page.getByLabel('Filter spaces').or(page.getByPlaceholder('Filter spaces')).first();
  const visible = async () => {
    let seen = 0;
    for (const box of await boxes.all()) seen += (await box.isVisible()) ? 1 : 0;
    return seen;
  };
  await filter.fill('no space is called this');
  await eventually('an empty list', async () => (await visible()) <= 1);
  await filter.fill('');
  await eventually('the whole list', async () => (await visible()) === all);
}

/** The best hit as REST tells it. */
async function firstHit(circuit, indexPage, words) {
  const [, index] = /\/indexes\/([^/?#]+)/.exec(indexPage);
  const address = `${circuit.url}/api/v1/indexes/${index}/search?q=${encodeURIComponent(words)}`;
  const answer = await fetch(address, { headers: { authorization: `Bearer ${circuit.api_key}` } });
  assert.equal(answer.status, 200);
  const { hits } = await answer.json();
  assert.ok(hits.length > 0, `REST finds nothing for ${words}`);
  return hits[0];
}
