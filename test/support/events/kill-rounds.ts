// `ferry events` as a process, kill -9 at a random instant, again and again, and the balance afterwards.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { addDays, dayOf } from '../../../app/events/days.ts';
import { credentialsOf, spawnFerry } from '../ferry-child.ts';
import { startS3Server } from '../s3/server.ts';
import { tempDir, until } from '../temp.ts';
import { API_KEY, type Doc, docsOf, startEventsApi } from './api.ts';

const TYPES = ['charge', 'refund', 'dispute'];
const PAGE = 50;
const PART = 120;

/** Each round pulls the same days further; the last one ends by itself. */
export async function eventsKillRounds(t: TestContext, rounds: number): Promise<void> {
  const directory = await tempDir(t);
  const server = await startS3Server({ deny: ['read', 'delete'] });
  t.after(() => server.close());
  const api = await startEventsApi(t);
  const days = [1, 2, 3].map((back) => addDays(dayOf(Date.now()), -back));
  // One more is looked back for: midnight may come in the middle of it.
  const units = TYPES.flatMap((type) => days.map((day) => ({ type, day })));
  // Enough to last for all rounds at the pace below.
  const count = 100 * rounds + 450;
  for (const { type, day } of units) api.docs.set(`${type}/${day}`, docsOf(type, day, count));
  api.before = () => new Promise((resolve) => setTimeout(resolve, 3));
  const config = join(directory, 'events.yaml');
  writeFileSync(
    config,
    `url: ${api.url}
s3_bucket: ${server.bucket}
s3_key: raw
s3: { endpoint: ${server.endpoint}, path_style: true }
events: [${TYPES.join(', ')}]
lookback: 4
late_days: 0
read_batch_size: ${PAGE}
write_batch_size: ${PART}
state: ${join(directory, 'state')}
`,
  );
  const start = () =>
    spawnFerry({ after() {} }, ['events', '--config', config, '--parallel', '4'], {
      env: { ...credentialsOf(server), API_KEY },
      cwd: directory,
    });
  let kills = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const askedBefore = api.asked.length;
    const run = start();
    let isOver = false;
    void run.ended.then(() => {
      isOver = true;
    });
    await until(() => isOver || api.asked.length > askedBefore, 'it has asked the API', 60_000);
    const instantMs = performance.now() + Math.random() * 150;
    await until(() => isOver || performance.now() >= instantMs, 'a random instant');
    if (!isOver) kills += 1;
    run.child.kill('SIGKILL');
    await run.ended;
  }
  const { exit, stdout } = await start().ended;
  assert.equal(exit, 0, stdout);

  const pages = Math.ceil(count / PAGE);
  const parts = Math.ceil(count / PART);
  let again = 0;
  for (const { type, day } of units) {
    const set = `raw/type=${type}/day=${day}/`;
    const seal = server.objects.get(`${set}_seal-00001.json`)?.body;
    assert.ok(seal, `${set} is not sealed`);
    const { members } = JSON.parse(seal.toString()) as { members: { key: string }[] }; // the mover's own
    const docs = members.flatMap(({ key }) => {
      const lines = gunzipSync(server.objects.get(set + key)?.body ?? Buffer.alloc(0)).toString();
      return lines.split('\n').flatMap((line): Doc[] => (line === '' ? [] : [JSON.parse(line) as Doc]));
    });
    assert.deepEqual(docs, docsOf(type, day, count));
    assert.equal([...server.objects.keys()].filter((key) => key.startsWith(`${set}part-`)).length, parts);
    const asked = api.asked.filter((ask) => ask.type === type && ask.day === day).length;
    const puts = server.requests.filter(
      ({ op, key }) => op === 'PutObject' && key.startsWith(`${set}part-`),
    ).length;
    assert.ok(asked - pages <= kills, `${asked - pages} pages of ${set} came again in ${kills} kills`);
    assert.ok(puts - parts <= kills, `${puts - parts} parts of ${set} were put again in ${kills} kills`);
    again += asked - pages;
  }
  const overwritten = [...server.objects.values()].filter(({ puts }) => puts !== 1).length;
  assert.equal(overwritten, 0);
  t.diagnostic(
    `${kills} kills, ${units.length} type-days of ${count} records, ${again} pages asked for again`,
  );
}
