// What several journeys do on their way.

import { eventually } from './browser.js';

/** How long the import of the demo's company may take. */
const IMPORT_TIME_MAX = 180_000;
/** How far the search index may be behind what is imported. */
const INDEXING_TIME_MAX = 15_000;
/** Words that were found are marked. */
const MARKED = 'main mark';

/** Follows the demo's sign-in link. */
export async function signIn(person, circuit) {
  await person.page.goto(circuit.sign_in_url);
  await person.heading('Indexes');
}

/** Makes an index and stands on its page; gives its address. */
export async function makeIndex(person, name, { look = async () => {} } = {}) {
  const { page, press } = person;
  await press('New index');
  await page.getByLabel('Name').first().fill(name);
  await page.getByLabel('Description').first().fill('Made on a journey through the app.');
  await look('new-index');
  await press('Create index');
  await person.heading(name);
  return page.url();
}

/** From an index's page to Atlassian's. */
export async function goToAtlassian(person, { look = async () => {} } = {}) {
  const { page, press } = person;
  await press('Integrations');
  await look('integrations');
  await press('New integration');
  await look('new-integration');
  await press(/Import from Confluence/);
  await page.getByRole('table').getByText('read:confluence-content.all').first().waitFor();
  await look('scopes');
  await press('Continue to Atlassian');
  await page.locator('select[name=account]').waitFor();
}

/** Consents for every site. */
export async function accept(person) {
  const { page, press } = person;
  for (const site of await page.getByRole('checkbox').all()) await site.check();
  await press('Accept');
}

/** Waits on a feed's page until everything is imported and can be found. */
export async function imported(person) {
  const done = person.page.locator('[data-progress]').getByText(/\bup to date\b/i).first();
  await eventually('the import', () => done.isVisible(), IMPORT_TIME_MAX);
}

/** From an index's page to its feed's. */
export async function openFeed(person) {
  await person.press('Integrations');
  await person.page.locator('main a[href*="/feeds/"]').first().click();
  await person.page.waitForURL('**/feeds/**');
}

/** Searches from the index's page until there are marked words: the index follows the store closely, not at once. */
export async function search(person, words) {
  const { page } = person;
  const found = async () => {
    await searchBox(page).fill(words);
    await searchBox(page).press('Enter');
    await page.waitForURL((address) => address.searchParams.get('q') === words);
    await page.locator('[data-results]:not([aria-busy])').waitFor();
    return (await page.locator(MARKED).count()) > 0;
  };
  await eventually(`a hit for ${words}`, found, INDEXING_TIME_MAX);
}

export function searchBox(page) {
  return page.locator('main').getByRole('searchbox').or(page.locator('main input[name=q]')).first();
}

/** Links of hits, which open the page at Atlassian. */
export const HIT = 'main a[href*="/wiki/"]';
