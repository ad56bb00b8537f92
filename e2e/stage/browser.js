// Given a journey's name, gives a person at a browser, who looks at every page: screenshots, accessibility, broken scripts.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const CHROMIUM = process.env.TESTED_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** How long a page may take to show what it should. */
const PATIENCE = 15_000;
/** How often Tab is pressed before the keyboard counts as lost. */
const TABS_MAX = 150;

/** Opens a browser for a journey. */
export async function person(journey) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'light', locale: 'en-GB' });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const broken = [];
  page.on('pageerror', (error) => broken.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    // Pages of errors are visited on purpose; what else goes wrong in a page is a fault of ours.
    const expected = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !expected) broken.push(`${page.url()}: ${message.text()}`);
  });
  let number = 0;

  /** Takes a picture and asks axe. */
  async function look(name, { ours = true, looks = ['light'] } = {}) {
    number += 1;
    for (const appearance of looks) {
      await page.setViewportSize(appearance === 'phone' ? PHONE : DESKTOP);
      await page.emulateMedia({ colorScheme: appearance === 'dark' ? 'dark' : 'light' });
      const file = `${journey}-${String(number).padStart(2, '0')}-${name}-${appearance}.png`;
      await page.screenshot({ path: SCREENSHOTS + file, fullPage: true });
      if (!ours) continue;
      await accessible(`${name}, ${appearance}`);
      if (appearance === 'phone') await fits(name);
    }
    await page.setViewportSize(DESKTOP);
    await page.emulateMedia({ colorScheme: 'light' });
  }

  /** No serious or critical violation. */
  async function accessible(name) {
    // Through the debugger, so that the page's own content security policy stays as it is.
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const grave = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join('\n  ')}`);
    assert.deepEqual(grave, [], `${name} (${page.url()})`);
  }

  /** Nothing hangs over the right edge. */
  async function fits(name) {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(over <= 1, `${name} is ${over} px wider than a phone`);
  }

  /** The page's one first heading. */
  async function heading(text) {
    await page.getByRole('heading', { level: 1, name: text }).first().waitFor();
  }

  /** Presses the link, tab or button of this name, whichever it is. */
  async function press(name, within = page) {
    const options = { name, exact: typeof name === 'string' };
    const control = ['button', 'link', 'tab', 'menuitem']
      .map((role) => within.getByRole(role, options))
      .reduce((either, other) => either.or(other));
    await control.first().click();
  }

  /** Presses Tab until the focus is on what is wanted; the focus must be seen there. */
  async function tabTo(selector) {
    for (let tabs = 0; tabs < TABS_MAX; tabs += 1) {
      await page.keyboard.press('Tab');
      const there = await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
      if (!there) continue;
      const seen = await page.evaluate(() => {
        // A ring may be drawn on the element or on the frame around it.
        for (let element = document.activeElement, up = 0; element && up < 4; element = element.parentElement, up += 1) {
          const style = getComputedStyle(element);
          if (style.outlineStyle !== 'none' || style.boxShadow !== 'none') return true;
        }
        return false;
      });
      assert.ok(seen, `the focus on ${selector} cannot be seen`);
      return;
    }
    assert.fail(`${TABS_MAX} times Tab does not reach ${selector}`);
  }

  /** Does what leads to another page, and waits until that one stands. */
  async function leads(act) {
    await Promise.all([page.waitForEvent('framenavigated'), act()]);
    await page.waitForLoadState();
  }

  /** Runs the journey, and leaves a picture of where it ended if it failed. */
  async function travels(journeyed) {
    try {
      await journeyed();
      assert.deepEqual(broken, [], 'pages had errors in their scripts or styles');
    } catch (error) {
      await page.screenshot({ path: `${SCREENSHOTS}${journey}-failed.png`, fullPage: true }).catch(() => {});
      error.message += `\n  at ${page.url()}`;
      throw error;
    } finally {
      await browser.close();
    }
  }

  return { page, context, look, heading, press, leads, tabTo, travels };
}

/** Asks again until it holds. */
export async function eventually(what, holds, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    if (await holds()) return;
    assert.ok(Date.now() < end, `${what} did not come about in ${patience / 1000} s`);
    await new Promise((resume) => setTimeout(resume, 100));
  }
}
