// A person searches while typing: results, suggestions, filters, previews, keys, several indexes, a phone; and without a script.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { eventually, person } from '../stage/browser.js';
import { demo } from '../stage/circuit.js';
import { searchBox, signIn } from '../stage/steps.js';

const EVERY_LOOK = { looks: ['light', 'dark', 'phone'] };
const PHONE = { width: 390, height: 844 };

let circuit;
before(async () => { circuit = await demo('--connected'); });

/** A journey on the search page of the demo's index. */
function journey(name, title, journeyed) {
  test(title, async () => {
    const user = await person(name);
    await user.travels(async () => {
      await signIn(user, circuit);
      await user.page.goto(`${circuit.url}/indexes/${circuit.index}`);
      await journeyed(user);
    });
  });
}

const asked = (page) => new URL(page.url()).searchParams;
const total = (page) => page.locator('[data-part=total]');
const titles = (page) => page.locator('[data-hit] [data-title]');
const pane = (page) => page.getByRole('dialog', { name: /./ }).and(page.locator('[data-pane]'));

/** Types letter by letter, and waits until the answer to all of it stands. */
async function type(page, text) {
  await searchBox(page).fill('');
  await page.keyboard.type(text, { delay: 30 });
  await answered(page, text);
}

/** Types and enters: suggestions go, and cover nothing. */
async function enter(page, text) {
  await type(page, text);
  await searchBox(page).press('Enter');
  await answered(page, text);
}

async function answered(page, text) {
  await eventually(`the address of ${text}`, () => (asked(page).get('q') ?? '') === text.trim());
  await page.locator('[data-results]:not([aria-busy])').waitFor();
}

/** Where what must not move is. */
function places(page) {
  return page.evaluate(() =>
    ['#q', 'aside[aria-label=Filters]', '.above', '[data-part=hits]'].map((selector) => {
      const { x, y } = document.querySelector(selector).getBoundingClientRect();
      return [selector, Math.round(x), Math.round(y)];
    }));
}

journey('typing', 'results follow what is typed, and nothing else moves', async (user) => {
  const { page } = user;
  await page.getByRole('heading', { name: 'Recently updated' }).waitFor();
  await user.look('nothing-typed', EVERY_LOOK);
  await page.evaluate(() => { globalThis.stayed = true; });
  const before = await places(page);
  await type(page, 'pump');
  await page.locator('[data-part=hits] mark').first().waitFor();
  assert.deepEqual(await places(page), before, 'nothing moves for the results');
  assert.equal(await page.evaluate(() => globalThis.stayed), true, 'the page was not loaded anew');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q', 'the focus stays');

  // In the middle of a word the caret stays where it is.
  await page.keyboard.press('Home');
  await page.keyboard.type('x', { delay: 30 });
  await page.keyboard.press('Delete');
  await answered(page, 'xump');
  assert.equal(await searchBox(page).evaluate((box) => box.selectionStart), 1);
  await type(page, 'pump');

  // A screen reader hears the count once it stands.
  const said = page.locator('[data-said]');
  await eventually('the count is said', async () => (await said.textContent()) === (await total(page).textContent()));

  // Typing takes the place of what was typed; Enter begins something that one comes back to.
  const entries = await page.evaluate(() => history.length);
  await searchBox(page).press('Enter');
  await eventually('an entry', async () => (await page.evaluate(() => history.length)) === entries + 1);
  await type(page, 'valve');
  await searchBox(page).press('Enter');
  await eventually('an entry', async () => (await page.evaluate(() => history.length)) === entries + 2);
  await page.goBack();
  await answered(page, 'pump');
  assert.equal(await searchBox(page).inputValue(), 'pump');
  await page.goForward();
  await answered(page, 'valve');
  await page.reload();
  assert.equal(await searchBox(page).inputValue(), 'valve');
  await eventually('the focus', async () => (await page.evaluate(() => document.activeElement.id)) === 'q');
  await page.keyboard.type('s');
  assert.equal(await searchBox(page).inputValue(), 'valves', 'typing goes on at the end');
});

journey('cancelling', 'an answer that comes late is not shown, and a network that fails is a quiet line', async (user) => {
  const { page } = user;
  let release;
  const held = new Promise((resume) => { release = resume; });
  const cancelled = page.waitForEvent('requestfailed', (request) => request.url().includes('q=slow'));
  await page.route('**/indexes/*?q=slow', async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  await searchBox(page).fill('slow');
  await page.waitForRequest('**/indexes/*?q=slow');
  await type(page, 'pump');
  await cancelled;
  release();
  await page.locator('[data-part=hits] mark').first().waitFor();
  assert.equal(asked(page).get('q'), 'pump');

  const [before, hits] = [await places(page), await titles(page).allInnerTexts()];
  await page.route('**/indexes/*?q=gone', (route) => route.abort());
  await type(page, 'gone');
  await page.getByText('Circuit does not answer').waitFor();
  assert.deepEqual(await places(page), before, 'nothing moves for the trouble');
  assert.deepEqual(await titles(page).allInnerTexts(), hits, 'what was found stays');
  await user.look('no-answer', EVERY_LOOK);
  await page.unroute('**/indexes/*?q=gone');
  await type(page, 'pump');
  assert.equal(await page.getByText('Circuit does not answer').count(), 0);
});

journey('completing', 'suggestions are chosen with the keyboard, and with a finger', async (user) => {
  const { page } = user;
  const box = page.getByRole('combobox', { name: 'Search' });
  const options = page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option');
  const active = async () => {
    const id = await box.getAttribute('aria-activedescendant');
    return id && page.locator(`#${id}`).innerText();
  };
  await box.pressSequentially('spa', { delay: 30 });
  await options.filter({ hasText: 'space:' }).waitFor();
  assert.equal(await box.getAttribute('aria-expanded'), 'true');
  assert.equal(await active(), null, 'nothing is chosen by itself');
  await user.look('suggestions', EVERY_LOOK);
  await box.focus();
  await box.press('ArrowDown');
  assert.match(await active(), /space:/);
  assert.equal(await options.first().getAttribute('aria-selected'), 'true');
  await box.press('Home');
  assert.equal(await active(), null);
  await box.press('Escape');
  assert.equal(await options.first().isVisible(), false);
  assert.equal(await box.inputValue(), 'spa', 'Escape closes the list and nothing more');
  await box.press('ArrowDown');
  await options.first().waitFor();
  await box.press('ArrowDown');
  await box.press('Enter');
  assert.equal(await box.inputValue(), 'space:');
  // Its values come by themselves.
  await options.first().waitFor();
  const name = (await options.nth(1).locator('span').first().innerText()).trim();
  await box.press('ArrowDown');
  await box.press('ArrowDown');
  await box.press('ArrowUp');
  await box.press('ArrowDown');
  assert.ok((await active()).startsWith(name));
  await box.press('Enter');
  assert.match(await box.inputValue(), /^space:.+ $/);
  await answered(page, await box.inputValue());
  const crumb = await page.locator('[data-hit] .crumbs span:not(.unseen)').first().innerText();
  assert.equal(crumb, name, 'the hits are of that space');

  await page.setViewportSize(PHONE);
  await box.fill('');
  await box.pressSequentially('typ', { delay: 30 });
  await options.filter({ hasText: 'type:' }).dispatchEvent('click');
  await options.filter({ hasText: 'file' }).dispatchEvent('click');
  assert.equal(await box.inputValue(), 'type:file ');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
});

journey('filters', 'filters are chosen several at once, seen as chips, and taken away one by one', async (user) => {
  const { page } = user;
  await enter(page, 'pump');
  const filters = page.getByRole('complementary', { name: 'Filters' });
  const group = (name) => filters.getByRole('group', { name, exact: true });
  const chips = page.getByRole('list', { name: 'Chosen filters' }).getByRole('link', { name: /remove$/ });
  const spaces = group('Space').getByRole('checkbox');
  const counts = await group('Space').locator('label').allInnerTexts();
  await spaces.nth(0).check();
  await eventually('a chip', async () => (await chips.count()) === 1);
  assert.equal(await spaces.nth(0).evaluate((box) => box === document.activeElement), true, 'the focus stays');
  assert.deepEqual(await group('Space').locator('label').allInnerTexts(), counts, 'its counts tell what more there is');
  const one = await total(page).innerText();
  await spaces.nth(1).check();
  await eventually('two chips', async () => (await chips.count()) === 2);
  assert.notEqual(await total(page).innerText(), one, 'more of one filter widens');
  await group('Updated').getByRole('radio', { name: /Past year/ }).check();
  await eventually('three chips', async () => (await chips.count()) === 3);
  assert.deepEqual([asked(page).getAll('space').length, asked(page).get('updated')], [2, 'year']);
  await user.look('filters', EVERY_LOOK);

  // What is sent to a colleague shows the same.
  const address = page.url();
  const same = await total(page).innerText();
  await page.goto('about:blank');
  await page.goto(address);
  assert.equal(await total(page).innerText(), same);
  assert.equal(await chips.count(), 3);

  await chips.nth(0).click();
  await eventually('two chips', async () => (await chips.count()) === 2);
  await page.goBack();
  await eventually('three chips', async () => (await chips.count()) === 3);
  await page.getByRole('link', { name: 'Clear all' }).click();
  await eventually('no chip', async () => (await chips.count()) === 0);
  assert.equal(asked(page).get('q'), 'pump');
  const label = group('Label').getByRole('checkbox').first();
  await label.check();
  await eventually('a chip', async () => (await chips.count()) === 1);
  await page.getByLabel('Sort by').selectOption({ label: 'Last updated' });
  await eventually('the address', () => asked(page).get('sort') === 'modified');
  await page.locator('[data-results]:not([aria-busy])').waitFor();
  const days = await page.locator('[data-hit] time').evaluateAll((times) => times.map((time) => time.dateTime));
  assert.deepEqual(days, days.toSorted().reverse(), 'the newest comes first');
  assert.match(await page.locator('[data-hit] time').first().getAttribute('title'), /\d{4}, \d\d:\d\d UTC/);
});

journey('previewing', 'a preview shows the passage beside the hits, and gives the focus back', async (user) => {
  const { page } = user;
  await enter(page, 'pump runbook');
  await page.locator('[data-part=hits] mark').first().waitFor();
  await page.locator('[data-title]').first().focus();
  await page.keyboard.press('p');
  await pane(page).waitFor();
  const body = page.locator('[data-pane-body]');
  await body.locator('.text').waitFor();
  await body.locator('mark').first().waitFor();
  const passage = body.locator('.passage').first();
  await passage.waitFor();
  const seen = async () => passage.evaluate((element) => {
    const [own, around] = [element.getBoundingClientRect(), element.closest('[data-pane-body]').getBoundingClientRect()];
    return own.top >= around.top - 1 && own.top < around.bottom;
  });
  assert.ok(await seen(), 'the passage is in view');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'preview-title');
  assert.equal(await page.evaluate(() => document.querySelectorAll('#q').length), 1, 'ids of the text stay out');
  await user.look('preview', EVERY_LOOK);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('[data-pane]').isVisible(), false);
  assert.equal(await titles(page).first().evaluate((link) => link === document.activeElement), true, 'the focus is back');

  // The pane follows from hit to hit.
  await page.keyboard.press(' ');
  await pane(page).waitFor();
  await page.keyboard.press('j');
  const second = await titles(page).nth(1).innerText();
  await eventually('the second hit', async () => (await page.locator('#preview-title').innerText()) === second);
  await page.getByRole('button', { name: 'Close preview' }).click();
  assert.equal(await titles(page).nth(1).evaluate((link) => link === document.activeElement), true);

  await page.setViewportSize(PHONE);
  await page.getByRole('button', { name: /^Preview/ }).first().click();
  const sheet = await page.locator('[data-pane]').boundingBox();
  // Beside it there may be a bar to scroll with.
  assert.ok(sheet.width > PHONE.width - 30 && sheet.y > 100, 'on a phone it is a sheet at the foot');
  await user.page.keyboard.press('Escape');
});

journey('keys', 'the keyboard goes all the way, and single keys can be turned off', async (user) => {
  const { page, context } = user;
  await enter(page, 'pump');
  await page.keyboard.press('Tab');
  await page.keyboard.press('j');
  const focused = (n) => titles(page).nth(n).evaluate((link) => link === document.activeElement);
  assert.ok(await focused(0), 'j goes to the first hit');
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('k');
  assert.ok(await focused(1));
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
  await page.keyboard.type('j?');
  assert.equal(await searchBox(page).inputValue(), 'j?', 'in the box they are letters');
  await enter(page, 'pump');
  await titles(page).first().focus();
  // Confluence is the fake one of the demo, or nothing at all: that it is asked for is enough.
  const [opened] = await Promise.all([context.waitForEvent('page'), page.keyboard.press('o')]);
  await opened.close();
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q', 'Escape leads back to the box');

  await titles(page).first().focus();
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await dialog.waitFor();
  await user.look('keys', EVERY_LOOK);
  await dialog.getByRole('checkbox').uncheck();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.reload();
  await titles(page).first().focus();
  for (const key of ['/', 'p', '?', 'j']) await page.keyboard.press(key);
  assert.ok(await focused(0), 'single keys do nothing');
  assert.equal(await page.locator('[data-pane]').isVisible() || await dialog.isVisible(), false);
  await page.keyboard.press('ArrowDown');
  assert.ok(await focused(1), 'the arrows stay');
  const title = (await titles(page).nth(1).innerText()).trim();
  await user.leads(() => page.keyboard.press('Enter'));
  await user.heading(title);
  assert.ok(page.url().startsWith(circuit.url), 'Enter reads it here');
});

journey('nothing', 'whoever finds nothing is shown a way', async (user) => {
  const { page } = user;
  const answer = await page.request.get(`${circuit.url}/api/v1/indexes/${circuit.index}/search?q=cavitation`);
  const { facets } = await answer.json();
  const all = await (await page.request.get(`${circuit.url}/api/v1/indexes/${circuit.index}/search`)).json();
  const empty = all.facets.spaces.find((space) => !facets.spaces.some((other) => other.id === space.id));
  assert.ok(empty, 'a space of the demo knows no cavitation');
  await page.goto(`${circuit.url}/indexes/${circuit.index}?q=cavitation&space=${empty.id}&kind=page`);
  await page.getByRole('heading', { name: /^Nothing found in .+; \d+ hits? in other spaces$/ }).waitFor();
  await user.look('nothing-found', EVERY_LOOK);
  await page.getByRole('link', { name: 'Search in all spaces' }).click();
  await page.locator('[data-part=hits] mark').first().waitFor();
  assert.deepEqual([asked(page).get('space'), asked(page).get('kind')], [null, 'page']);
  await type(page, 'qqqzzzxxx');
  await page.getByRole('heading', { name: 'No document matches' }).waitFor();
});

journey('scriptless', 'everything is found without a script', async (user) => {
  const browser = user.context.browser();
  const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await user.context.storageState() });
  const page = await plain.newPage();
  await page.goto(`${circuit.url}/indexes/${circuit.index}`);
  await page.locator('#q').fill('pump');
  await page.locator('#q').press('Enter');
  await page.locator('[data-part=hits] mark').first().waitFor();
  await page.getByText('Filters', { exact: true }).click();
  await page.getByRole('group', { name: 'Type', exact: true }).getByRole('checkbox').first().check();
  await page.getByRole('button', { name: 'Apply filters' }).click();
  await page.getByRole('link', { name: /^Type: .*remove$/ }).click();
  await page.waitForURL((address) => !address.searchParams.has('kind'));
  assert.equal(await page.getByRole('button', { name: /^Preview/ }).count(), 0, 'what needs a script is not there');
  await page.getByText(/more on this page$/).first().click();
  await page.locator('[data-title]').first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await plain.close();
});

journey('several', 'several indexes are searched at once, and chosen among', async (user) => {
  const { page } = user;
  await page.goto(`${circuit.url}/indexes/new`);
  await page.getByLabel('Name').first().fill('Archive');
  await user.press('Create index');
  await user.press('Search all');
  await user.heading('Search');
  await enter(page, 'pump');
  await page.locator('[data-hit] .badge').first().waitFor();
  await user.look('several', EVERY_LOOK);
  const indexes = page.getByRole('group', { name: 'Index', exact: true });
  await indexes.getByRole('checkbox', { name: /Company/ }).check();
  await eventually('the choice', () => asked(page).getAll('index').length === 1);
  await eventually('no name', async () => (await page.locator('[data-hit] .badge').count()) === 0);
  assert.ok((await titles(page).count()) > 0);
});

test('after all that it stops in time', () => circuit.stop());
