// kill -9 at random instants, round after round, and the balance afterwards.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { credentialsOf, type FerryChild, spawnFerry, toServer } from './ferry-child.ts';
import { startKillWriter } from './kill-writer.ts';
import { createRig, isEmptied, lost, objectsByContent, type Rig } from './mover-rig.ts';
import { until } from './temp.ts';

/** In flight, and rows not yet written when the kill came: all that a kill may make Ferry send or compare again. */
const AGAIN_PER_KILL = 16 + 128;

/** The store is served by this process: it must not spend its time on looking. */
const LOOK_MS = 100;

export interface Rounds {
  readonly rounds: number;
  /** Every so many rounds the state directory is lost with the process. */
  readonly loseStateEvery: number;
}

function startFiles(t: Pick<TestContext, 'after'>, rig: Rig): FerryChild {
  const words = ['files', '--source', rig.source, '--state', rig.state, '--key', '{path}'];
  const times = ['--settle', '100ms', '--retention', '0', '--walk-every', '20ms', '--prove-every', '100ms'];
  return spawnFerry(t, [...words, ...times, '--walk-cpu-share', '1', ...toServer(rig.server)], {
    env: credentialsOf(rig.server),
  });
}

export async function killRounds(t: TestContext, { rounds, loseStateEvery }: Rounds): Promise<void> {
  const rig = await createRig(t);
  const writer = startKillWriter(rig.source, 5, 20, () => rig.server.objects.size);
  t.after(() => writer.stop());
  let stateLost = 0;
  for (let round = 1; round <= rounds; round += 1) {
    // The hooks of one test would hold every child to its end; here each is ended and gone within its round.
    const run = startFiles({ after() {} }, rig);
    const askedBefore = rig.server.requests.length;
    await until(() => rig.server.requests.length > askedBefore, 'it has asked the store', 60_000);
    const instantMs = performance.now() + Math.random() * 500;
    await until(() => performance.now() >= instantMs, 'a random instant');
    run.child.kill('SIGKILL');
    await run.ended;
    assert.equal(lost(rig.server, rig.source, writer.completed).length, 0, `files lost in round ${round}`);
    if (round % loseStateEvery === 0) {
      rmSync(rig.state, { recursive: true, force: true });
      stateLost += 1;
    }
  }
  writer.stop();
  const last = startFiles(t, rig);
  await until(() => isEmptied(rig.source), 'everything is moved and freed', 240_000, LOOK_MS);
  last.child.kill('SIGTERM');
  await last.ended;

  const stored = objectsByContent(rig.server);
  const completed = new Set(writer.completed);
  const result = {
    missing: writer.completed.filter((hash) => !stored.has(hash)).length,
    twice: [...stored.values()].filter((count) => count > 1).length,
    strange: [...stored.keys()].filter((hash) => !completed.has(hash)).length,
    overwritten: [...rig.server.objects.values()].filter(({ puts }) => puts !== 1).length,
  };
  assert.deepEqual(result, { missing: 0, twice: 0, strange: 0, overwritten: 0 });
  const bodies = rig.server.requests.filter(({ op }) => op === 'PutObject').length;
  const again = bodies - writer.completed.length;
  t.diagnostic(
    `${rounds} kills, state lost ${stateLost} times, ${writer.completed.length} files, ${again} bodies sent again`,
  );
  assert.ok(again <= rounds * AGAIN_PER_KILL, `${again} bodies were sent again in ${rounds} kills`);
}
