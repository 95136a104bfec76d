// The page in a real browser: what people see when files flow, when nothing comes, when all is stuck and when the disk is
// nearly full; that names and contents made to do harm do none; and that people who see or move otherwise can use it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { FilesSnapshot, Tally } from '../../app/files/snapshot.ts';
import { createHistory, type History } from '../../app/page/history.ts';
import { createRig, type Rig } from '../support/mover-rig.ts';
import { until } from '../support/temp.ts';
import { CHROMIUM, openBrowser, PATIENCE_MS, watchPage } from './browser.ts';
import { servePage } from './serving.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const MINUTE = 60_000;

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

const closePage = new WeakMap<TestContext, () => Promise<void>>();

/** Hooks run in their order: the page is closed before its server, or what it asks as the test ends is a complaint. */
function createPageRig(t: TestContext): Promise<Rig> {
  t.after(() => closePage.get(t)?.());
  return createRig(t);
}

/** A page of the mover's files with a snapshot of the test's making; its complaints are asserted on at the end. */
async function look(
  t: TestContext,
  rig: Rig,
  change: (now: FilesSnapshot) => Partial<FilesSnapshot> = () => ({}),
  options: Parameters<Browser['newContext']>[0] = {},
  history?: History,
): Promise<{ page: Page; url: string }> {
  const mover = await rig.start({ retentionMs: 24 * 60 * MINUTE });
  const snapshot = (): FilesSnapshot => {
    const now = mover.snapshot();
    return { ...now, ...change(now) };
  };
  const { url } = await servePage(t, mover, { snapshot, ...(history && { history }) });
  browser ??= openBrowser();
  const context = await (await browser).newContext({ timezoneId: 'Europe/Berlin', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = watchPage(page, url);
  let told = complaints;
  closePage.set(t, () => {
    told = structuredClone(complaints);
    return context.close();
  });
  // The last of the hooks: one that throws keeps those after it from closing what they should.
  t.after(() => assert.deepEqual(told, { errors: [], foreign: [] }));
  await page.goto(`${url}/`);
  await page.waitForFunction(() => document.querySelector('#verdict')?.className !== '');
  await page.waitForFunction(() => document.querySelector('#files-note')?.textContent !== '');
  return { page, url };
}

/** Looks again and again until so many are listed; each look has the time for its answer, which the next one drops. */
function untilListed(page: Page, selector: string, rows: number): Promise<void> {
  const looked = async (): Promise<boolean> => {
    const answer = page.waitForResponse((response) => response.url().includes('/api/files'));
    await page.getByRole('button', { name: 'Look' }).click();
    await (await answer).finished();
    return (await page.locator(selector).count()) === rows;
  };
  return until(looked, `${rows} are listed`, PATIENCE_MS, 500);
}

const textOf = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText();

/** Every rule of axe for WCAG 2.2 A and AA, and its best practices. */
async function assertAccessible(page: Page): Promise<void> {
  // Run from outside, since the page's policy takes no script of strangers.
  const found = await page.evaluate(`${AXE}; axe.run().then((result) => result.violations
    .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`);
  assert.deepEqual(found, []);
}

const BEFORE = { files: 43_200 };
const SINCE_MS = Date.now();
/** 12 files of 1 KB a second, before the test and as long as it runs. */
const more = ({ files, bytes }: Tally, atMs: number): Tally => {
  const added = BEFORE.files + Math.round(((atMs - SINCE_MS) / 1_000) * 12);
  return { files: files + added, bytes: bytes + added * 1_024 };
};

/** An hour of 12 files a second that the rig did not really live through. */
const busyHour = (now: FilesSnapshot): Partial<FilesSnapshot> => ({
  startedAtMs: now.atMs - 60 * MINUTE,
  lastArrivalAtMs: now.atMs,
  total: {
    ...now.total,
    seen: more(now.total.seen, now.atMs),
    sent: more(now.total.sent, now.atMs),
    proved: more(now.total.proved, now.atMs),
  },
  retained: more(now.retained, now.atMs),
  disk: {
    usedBytes: 4.0 * 2 ** 30,
    limitBytes: 5.4 * 2 ** 30,
    usedInodes: 1_036_800,
    limitInodes: 1_390_659,
    growthBytesPerSecond: 0,
    fullInMs: undefined,
    level: 'ok',
  },
});

function hourBefore(atMs: number): History {
  const history = createHistory();
  for (let index = 0; index <= 360; index += 1) {
    const share = index / 360;
    const files = Math.round(BEFORE.files * share + 300 * Math.sin(index / 7) * share * (1 - share) * 4);
    const lag = Math.max(0, Math.min((index - 200) * 90, (275 - index) * 150));
    const moved = files - lag;
    history.add({
      atMs: atMs - (360 - index) * 10_000,
      seenFiles: files,
      seenBytes: files * 1_024,
      movedFiles: moved,
      movedBytes: moved * 1_024,
      backlogFiles: lag,
      diskBytes: 0,
    });
  }
  return history;
}

const idle = (now: FilesSnapshot): Partial<FilesSnapshot> => ({
  lastArrivalAtMs: now.atMs - 14 * MINUTE,
  lastWalkAtMs: now.atMs,
  settling: 0,
});
const stuck = (now: FilesSnapshot): Partial<FilesSnapshot> => ({
  lastWalkAtMs: now.atMs,
  lastSuccessAtMs: now.atMs - 30 * MINUTE,
  oldestUnprovedAgeMs: 30 * MINUTE,
  backlog: { files: 21_600, bytes: 22_118_400 },
  failing: new Map([['denied', 21_600]]),
  store: {
    ok: false,
    fault: 'denied',
    message: 'PutObject s3://my-bucket/site-1/x was refused: AccessDenied <img src=x onerror=alert(1)>',
    sinceMs: now.atMs - 30 * MINUTE,
  },
  disk: {
    usedBytes: 900,
    limitBytes: 1_000,
    usedInodes: 10,
    limitInodes: 1_000,
    growthBytesPerSecond: 1,
    fullInMs: 6 * 60 * MINUTE,
    level: 'high',
  },
});

test('files that flow are seen to flow, live, and each can be looked at', async (t) => {
  if (CHROMIUM === undefined) return t.skip('needs chromium');
  const rig = await createPageRig(t);
  const { page } = await look(t, rig);
  // Written only now: a browser may need longer for its start than a writer may be quiet for.
  rig.write('2026/first.txt', 'line one\nline two\n');
  await page.waitForFunction(() => {
    const title = document.querySelector('#verdict-title')?.textContent ?? '';
    return /^(Flowing|Settling)/.test(title) && document.querySelector('#verdict')?.className === 'good';
  });
  assert.match(
    await textOf(page, '#clock'),
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+\)$/,
  );
  const before = await textOf(page, '#footer');
  rig.write('2026/second.txt', 'more');
  await page.waitForFunction((old) => document.querySelector('#footer')?.textContent !== old, before);
  await page.getByLabel('Name holds').fill('FIRST');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('#file-rows tr').length === 1);
  await page.getByRole('button', { name: '2026/first.txt' }).click();
  await page.waitForFunction(() => document.querySelector('#preview')?.textContent?.includes('line two'));
  assert.match(await textOf(page, '#file-facts'), /SHA-256/);
  await page.getByRole('button', { name: 'Hex' }).click();
  await page.waitForFunction(() =>
    document.querySelector('#preview')?.textContent?.startsWith('00000000  6c 69 6e 65'),
  );
  await assertAccessible(page);
  const download = page.waitForEvent('download');
  await page.locator('#file-download').click();
  assert.equal(readFileSync(await (await download).path(), 'utf8'), 'line one\nline two\n');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('dialog')?.open);
});

test('idle, stuck and a disk nearly full are told apart at the first glance, accessibly, in light and dark', async (t) => {
  if (CHROMIUM === undefined) return t.skip('needs chromium');
  const rig = await createPageRig(t);
  let change = idle;
  const { page } = await look(t, rig, (now) => change(now));
  await page.waitForFunction(() => document.querySelector('#verdict-title')?.textContent?.startsWith('Idle'));
  assert.equal(await textOf(page, '#verdict-title'), 'Idle: the writer has been quiet for 14 minutes');
  for (const colorScheme of ['light', 'dark'] as const) {
    change = idle;
    await page.emulateMedia({ colorScheme });
    await page.waitForFunction(() => document.querySelector('#verdict')?.className === 'good');
    await assertAccessible(page);
    change = stuck;
    await page.waitForFunction(() => document.querySelector('#verdict')?.className === 'bad');
    assert.match(
      await textOf(page, '#verdict-title'),
      /^Stuck: the store refuses the role since \d\d:\d\d UTC \(AccessDenied\), disk full in 6h$/,
    );
    assert.match(await textOf(page, '#disk-words'), /^90 % used, .* full in 6 h\.$/);
    assert.match(await textOf(page, '#trouble-rows'), /21,600.*are refused by the store.*s3:PutObject/s);
    assert.equal(await page.locator('#trouble-rows code').innerText(), 'ferry doctor');
    assert.equal(await page.locator('img[src=x]').count(), 0, "a server's words are words");
    await assertAccessible(page);
  }
});

test('hostile names and contents are shown, not obeyed', async (t) => {
  if (CHROMIUM === undefined) return t.skip('needs chromium');
  const rig = await createPageRig(t);
  const hostile = [
    '<script>document.title="taken"</script>.txt',
    '<img src=x onerror="document.title=\'taken\'">.txt',
    '"><svg onload=document.title=1>.txt',
    'report\u202etxt.exe',
    'two\nlines.txt',
    'javascript:alert(1)',
    '..%2f..%2fetc',
  ];
  for (const name of hostile) rig.write(name, '<script>document.title="taken"</script>');
  rig.write('drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=1"/>');
  rig.write('picture.png', PIXEL);
  rig.write('empty', '');
  const notText = Buffer.concat([Buffer.from(`${rig.source}/`), Buffer.from([0x78, 0xff, 0xfe])]);
  writeFileSync(notText, Buffer.from([0, 1, 2, 255]));
  const { page } = await look(t, rig);
  await untilListed(page, '#file-rows tr', hostile.length + 4);
  const shown = await textOf(page, '#file-rows');
  for (const text of ['<img src=x', 'report\\u{202e}txt.exe', 'two\\u{a}lines.txt', 'x%FF%FE'])
    assert.ok(shown.includes(text), text);
  for (const button of await page.locator('#file-rows button').all()) {
    await button.click();
    await page.waitForFunction(() => document.querySelector('#preview-note')?.textContent !== '');
    await page.keyboard.press('Escape');
  }
  await page.getByRole('button', { name: 'picture.png' }).click();
  await page.waitForFunction(
    () => document.querySelector<HTMLImageElement>('#preview-image')?.naturalWidth === 1,
  );
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'drawing.svg' }).click();
  await page.waitForFunction(() => document.querySelector('#preview')?.textContent?.includes('<svg'));
  assert.equal(await page.locator('#preview svg').count(), 0);
  assert.doesNotMatch(await page.title(), /taken|^1$/);
});

test('a content that comes late is not shown as that of the file looked at meanwhile', async (t) => {
  if (CHROMIUM === undefined) return t.skip('needs chromium');
  const rig = await createPageRig(t);
  for (const name of ['late', 'quick']) rig.write(name, `content of ${name}`);
  const { page, url } = await look(t, rig);
  await untilListed(page, '#file-rows tr', 2);
  const held = Promise.withResolvers<void>();
  await page.route(`${url}/api/file/late`, async (route) => {
    await held.promise;
    await route.continue();
  });
  const asked = page.waitForRequest(`${url}/api/file/late`);
  await page.getByRole('button', { name: 'late', exact: true }).click();
  await asked;
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'quick', exact: true }).click();
  const shown = (): Promise<string> => textOf(page, '#preview');
  await until(async () => (await shown()) === 'content of quick', 'the second one is shown');
  const came = page.waitForResponse(`${url}/api/file/late`);
  held.resolve();
  await (await came).finished();
  // One more round through the page's own loop: by then it would be shown.
  await page.evaluate(() => fetch('api/status').then((response) => response.text()));
  assert.equal(await shown(), 'content of quick');
});

test('it fits a phone and a wall, and the keyboard alone is enough', async (t) => {
  if (CHROMIUM === undefined) return t.skip('needs chromium');
  const rig = await createPageRig(t);
  rig.write(`${'long-name-'.repeat(20)}.dat`, 'x');
  let change: (now: FilesSnapshot) => Partial<FilesSnapshot> = stuck;
  const { page } = await look(t, rig, (now) => change(now), { viewport: { width: 320, height: 640 } });
  for (const viewport of [
    { width: 320, height: 640 },
    { width: 2_560, height: 1_440 },
  ]) {
    await page.setViewportSize(viewport);
    const over = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(over, 0, `${viewport.width} px wide: nothing sticks out`);
    const hidden = await page
      .locator('.cards')
      .evaluateAll((tables) =>
        tables.map((table) => table.scrollWidth - (table.parentElement?.clientWidth ?? 0)),
      );
    assert.deepEqual(hidden, [0, 0], `${viewport.width} px wide: every column is in sight`);
    await assertAccessible(page);
  }
  change = () => ({});
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll('#file-rows button').length === 1);
  const reached: string[] = [];
  for (let step = 0; step < 25; step += 1) {
    await page.keyboard.press('Tab');
    reached.push(
      await page.evaluate(() => document.activeElement?.id || (document.activeElement?.className ?? '')),
    );
    if (reached.at(-1) === 'link') break;
  }
  for (const id of ['skip', 'name', 'state', 'since', 'link'])
    assert.ok(reached.includes(id), `${id} of ${reached}`);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('dialog')?.open === true);
});

test('the picture in the README is of this page', async (t) => {
  if (CHROMIUM === undefined) return t.skip('needs chromium');
  const rig = await createPageRig(t);
  for (let number = 0; number < 12; number += 1)
    rig.write(`2026-11-20/13/run-${number}.dat`, 'x'.repeat(900 + number));
  const viewport = { width: 1_280, height: 1_000 };
  const { page } = await look(t, rig, busyHour, { viewport }, hourBefore(SINCE_MS));
  await page.waitForFunction(() => document.querySelector('#chart canvas') !== null);
  assert.match(
    (await page.locator('#chart .u-legend').textContent()) ?? '',
    /in, files\/s\d/,
    'the legend tells of now',
  );
  await untilListed(page, '.state-proved', 12);
  const image = await page.screenshot();
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  assert.match(readme, /!\[[^\]]+\]\(docs\/page\.png\)/);
  const path = join(import.meta.dirname, '../../docs/page.png');
  // Written only when asked to: pictures of two runs differ in their times.
  if (process.env.FERRY_WRITE_PICTURE === '1') writeFileSync(path, image);
  assert.ok(readFileSync(path).length > 20_000);
});
