// The minikube target on a real Kubernetes: applied as `npm run synth` writes it, looked at, broken and taken down with
// the very commands of docs/minikube.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../support/cli.ts';
import { until } from '../support/temp.ts';
import { kubectl, startKubectl } from './kubectl.ts';
import { judge, localFiles, storedObjects, writtenBy } from './sides.ts';
import { createSite, LOOK_MS, type Site } from './site.ts';

/** 1,000 files at the start, and 200 more of 12 a second. */
const SENT = 1_200;

test('the documented commands start, show, break and take down a site whose every object is as it was written', async (t) => {
  const site = await createSite(t, { apply: false });
  if (site === undefined) return;
  const [start, look, cut, down] = ['Start', 'Look', 'Break', 'Tear down'].map(documented);
  assert.ok(start && look && cut && down);

  assert.equal(start.length, 5);
  await run(site, start.at(-1));
  const [rollout, logs, forward, ...others] = look;
  await run(site, rollout);
  const pod = await site.ready();
  await sees(t, site, logs, /"level":"info"/);
  await seesMetrics(t, site, forward);
  assert.deepEqual(others, ['head -12 dist/minikube/2-writer.yaml']);
  const head = readFileSync(join(site.manifests, '2-writer.yaml'), 'utf8').split('\n').slice(0, 12);
  assert.ok(
    head.every((line) => line.startsWith('#')) && head.some((line) => /shared volume: .*, /.test(line)),
  );

  const [off, on, end] = cut;
  await site.whenMetric('ferry_files_proved_total', (files) => files >= SENT, 300_000);
  await run(site, off);
  await site.whenMetric('ferry_files_store_up', (up) => up === 0);
  await site.whenMetric('ferry_files_backlog_files', (files) => files > 0);
  await run(site, on);
  await site.whenMetric('ferry_files_store_up', (up) => up === 1);
  await site.whenMetric('ferry_files_backlog_files', (files) => files < 20);
  const written = await writtenBy(site);
  const judged = judge(written, await localFiles(site), await storedObjects(t, site));
  t.diagnostic(`${written.length} files written, ${judged.stored} of them in the bucket`);
  assert.deepEqual([judged.lost, judged.twice, judged.foreign], [[], [], []]);
  assert.ok(judged.stored >= SENT);

  await run(site, end);
  await site.when(({ uid, ready }) => uid !== pod.uid && ready, 'a new pod is ready');
  const kept = judge(written, new Map(), await storedObjects(t, site));
  assert.deepEqual([kept.lost, kept.twice], [[], []]);

  assert.equal(down.length, 1);
  await run(site, down[0]);
  await assert.rejects(kubectl(['get', 'namespace', site.namespace]), /not found/);
});

/** The commands below a heading of docs/minikube.md, without their comments. */
function documented(heading: string): string[] {
  const text = readFileSync(join(ROOT, 'docs/minikube.md'), 'utf8');
  const block = new RegExp(`\\*\\*${heading}\\*\\*\\n\\n\`\`\`\\n(.*?)\`\`\``, 's').exec(text)?.[1];
  assert.ok(block, `docs/minikube.md has no commands below ${heading}`);
  return block.split('\n').flatMap((line) => line.replace(/\s+#.*/, '') || []);
}

/** A documented kubectl command for this site: its namespace, its manifests. */
function words(site: Site, command = ''): string[] {
  const [program, ...rest] = command.split(/\s+/);
  assert.equal(program, 'kubectl');
  return rest.map((word, index) =>
    word === 'ferry' && rest[index - 1] !== '-c'
      ? site.namespace
      : word.replace('dist/minikube', site.manifests),
  );
}

function run(site: Site, command: string | undefined): Promise<string> {
  return kubectl(words(site, command));
}

/** A command that runs on shows what it is there for. */
async function sees(t: TestContext, site: Site, command: string | undefined, what: RegExp): Promise<void> {
  const running = startKubectl(t, words(site, command));
  await until(() => what.test(running.output()), `${command} shows ${what}`, 120_000);
  await running.stop();
}

async function seesMetrics(t: TestContext, site: Site, command: string | undefined): Promise<void> {
  // Any free port here: the documented one may be taken on this machine.
  const asked = words(site, command).map((word) => (word === '9464' ? ':9464' : word));
  const running = startKubectl(t, asked);
  const port = () => /127\.0\.0\.1:(\d+)/.exec(running.output())?.[1];
  await until(() => port() !== undefined, 'the port is forwarded', 120_000);
  const metrics = (): Promise<string> =>
    fetch(`http://127.0.0.1:${port()}/metrics`).then((answer) => answer.text(), String);
  const shown = async (): Promise<boolean> => (await metrics()).includes('ferry_files_sent_total');
  await until(shown, 'the metrics are shown', 120_000, LOOK_MS);
  await running.stop();
}
