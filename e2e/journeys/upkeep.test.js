// What an administrator does later: sync again, delete documents, remove an integration, rename and delete an index.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, person } from '../stage/browser.js';
import { demo } from '../stage/circuit.js';
import { imported, openFeed, search, signIn } from '../stage/steps.js';

test('removing an integration keeps its documents', async () => {
  const circuit = await demo('--connected');
  const user = await person('remove');
  await user.travels(async () => {
    await signIn(user, circuit);
    const before = await documents(circuit);
    assert.ok(before > 0, 'the demo holds no documents');
    await user.page.goto(`${circuit.url}/indexes/${circuit.index}`);
    await openFeed(user);
    await user.look('feed');
    await user.press('Re-sync now');
    await imported(user);
    assert.equal(await documents(circuit), before, 'a re-sync of a quiet site changes nothing');

    await user.press('Remove', user.page.locator('main'));
    await user.heading(/^Remove/);
    await user.look('remove');
    await user.page.locator('main').getByRole('button', { name: 'Remove', exact: true }).click();
    await eventually('the removal', async () => (await feedState(circuit)) === 'removed');
    await user.look('removed');
    assert.equal(await documents(circuit), before);
    await user.page.goto(`${circuit.url}/indexes/${circuit.index}`);
    await search(user, 'pump');
  });
  await circuit.stop();
});

test('what is deleted here is not found again, and an index can be renamed and deleted', async () => {
  const circuit = await demo('--connected');
  const user = await person('upkeep');
  const { page, press, heading, look } = user;
  await user.travels(async () => {
    await signIn(user, circuit);
    const before = await documents(circuit);
    const index = `${circuit.url}/indexes/${circuit.index}`;
    await page.goto(index);
    await press('Documents');
    await page.locator('main input[type=checkbox][value]').first().check();
    await look('documents', { looks: ['light', 'phone'] });
    await press('Delete selected');
    await eventually('the deletion', async () => (await documents(circuit)) < before);

    await page.goto(index);
    await press('Settings');
    await page.getByLabel('Name').first().fill('Renamed');
    await press('Save');
    await heading('Renamed');
    await press('Settings');
    await look('settings');
    await press(/^Delete index/);
    await heading(/^Delete Renamed/);
    await look('delete-index');
    await page.locator('main').getByRole('textbox').last().fill('Renamed');
    await press('Delete index', page.locator('main'));
    await heading('Indexes');
    assert.equal(await page.getByRole('link', { name: 'Renamed' }).count(), 0);
  });
  await circuit.stop();
});

test('whoever misses a page learns why, and a verify finds site, index and search the same', async () => {
  const circuit = await demo('--connected');
  const user = await person('why');
  const { page, press, heading, look } = user;
  await user.travels(async () => {
    await signIn(user, circuit);
    await page.goto(`${circuit.url}/indexes/${circuit.index}?q=zyzzyvaquokka`);
    await page.getByText('Looking for a page that should be here?').waitFor();
    await look('nothing-found', { looks: ['light', 'dark', 'phone'] });
    const { site } = await asked(circuit, `feeds/${circuit.feed}`);
    await page.getByLabel('Looking for a page').fill(`${site.url}/wiki/spaces/NOSUCH/pages/1/Some+title`);
    await press('Ask why');
    await page.getByText('the space NOSUCH, which is not among the chosen ones').waitFor();
    await look('not-selected', { looks: ['light', 'dark', 'phone'] });
    const { documents } = await asked(circuit, `indexes/${circuit.index}/documents?kind=page&limit=1`);
    await page.getByLabel('Address in Confluence').fill(documents[0].url);
    await press('Ask why');
    await page.getByText('It is here:').waitFor();
    await press('See the document');
    await heading(documents[0].title);
    await look('document', { looks: ['light', 'dark', 'phone'] });

    await page.goto(`${circuit.url}/feeds/${circuit.feed}`);
    await imported(user);
    await look('feed', { looks: ['light', 'phone'] });
    await press(/^Verify/);
    await heading(/^Run/);
    const compared = async () => {
      await page.reload();
      return (await page.getByText('Site, index and search are the same.').count()) > 0;
    };
    await eventually('the comparison', compared, 60_000);
    await look('verified', { looks: ['light', 'dark', 'phone'] });
  });
  await circuit.stop();
});

async function documents(circuit) {
  const { documents } = await asked(circuit, `indexes/${circuit.index}`);
  return documents;
}

async function feedState(circuit) {
  const answer = await asked(circuit, `feeds/${circuit.feed}`);
  return (answer.feed ?? answer).state;
}

async function asked(circuit, path) {
  const answer = await fetch(`${circuit.url}/api/v1/${path}`, { headers: { authorization: `Bearer ${circuit.api_key}` } });
  assert.equal(answer.status, 200, path);
  return answer.json();
}
