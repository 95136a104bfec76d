// A million files on the page: what a person looks for comes at once, in the browser too.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MILLION, millionFiles } from '../files/million.ts';
import { snapshotOf } from '../files/snapshot-of.ts';
import { until } from '../support/temp.ts';
import { CHROMIUM, openBrowser, watchPage } from './browser.ts';
import { servePage } from './serving.ts';

const ANSWER_MS = 100;
let stop = async (): Promise<void> => {};
after(() => stop());

test('a million files: each page of them is answered within 100 ms, and a person finds the newest and an old one', {
  timeout: 900_000,
}, async (t) => {
  if (CHROMIUM === undefined) return t.skip('needs chromium');
  const { browser: files, nowMs } = await millionFiles(t);
  const { url } = await servePage(t, { files, snapshot: () => snapshotOf({ atMs: Date.now() }) });
  for (const search of ['', 'name=%2F7%2F', `until=${nowMs - 43_200_000}`, 'state=proved']) {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round += 1) {
      const startedMs = performance.now();
      const response = await fetch(`${url}/api/files?${search}`);
      const answer = (await response.json()) as { files: unknown[] }; // our own answer
      best = Math.min(best, performance.now() - startedMs);
      assert.equal(answer.files.length, 100, search);
    }
    assert.ok(best < ANSWER_MS, `${search} took ${best.toFixed(0)} ms`);
  }

  const browser = await openBrowser();
  stop = () => browser.close();
  const page = await browser.newPage();
  const { errors, foreign } = watchPage(page, url);
  await page.goto(`${url}/`);
  const rows = page.locator('#file-rows tr');
  const listed = (files: number): Promise<void> =>
    until(async () => (await rows.count()) === files, `${files} are listed`, 30_000);
  await listed(100);
  assert.match(await rows.first().innerText(), new RegExp(`file-${MILLION - 1}\\.dat`));
  await page.getByRole('button', { name: 'Show more' }).click();
  await listed(200);
  await page.getByLabel('Arrived').selectOption({ label: 'at any time' });
  await page.getByLabel('Name holds').fill('file-990001.');
  await page.keyboard.press('Enter');
  await listed(1);
  assert.match(await rows.first().innerText(), /file-990001\.dat/);
  assert.deepEqual({ errors, foreign }, { errors: [], foreign: [] });
});
