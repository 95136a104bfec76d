// A real Prometheus that scrapes targets on this machine, with rules of the test's making.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import type { Alert } from '../../manifests/alerts.ts';
import { tempDir, until } from './temp.ts';

export const NO_PROMETHEUS = spawnSync('prometheus', ['--version']).status !== 0;

/** How often it scrapes and evaluates. A scrape may take as long: on a busy machine one that is late is no gap. */
export const EVERY_MS = 1_000;

export interface Target {
  readonly job: string;
  readonly port: number;
  readonly alerts: readonly Alert[];
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Prometheus {
  /** One instant query. Rejects with Prometheus's own words. */
  query(expr: string): Promise<readonly Sample[]>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Scrapes and evaluates each second; gone after the test. */
export async function startPrometheus(t: TestContext, targets: readonly Target[]): Promise<Prometheus> {
  const directory = await tempDir(t);
  const every = `${EVERY_MS}ms`;
  const groups = targets.map(({ job, alerts }) => ({
    name: job,
    interval: every,
    rules: alerts.map(({ alert, expr, for: lasting }) => ({
      alert,
      expr,
      for: lasting,
      labels: { target: job },
    })),
  }));
  writeFileSync(join(directory, 'rules.yaml'), stringify({ groups }));
  const config = {
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: ['rules.yaml'],
    scrape_configs: targets.map(({ job, port }) => ({
      job_name: job,
      static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { namespace: 'n' } }],
    })),
  };
  writeFileSync(join(directory, 'prometheus.yaml'), stringify(config));
  const port = await freePort();
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${join(directory, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const query = async (expr: string): Promise<readonly Sample[]> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`);
    // Prometheus's own answer, https://prometheus.io/docs/prometheus/latest/querying/api/.
    const answer = (await response.json()) as { status: string; error?: string; data: { result: Sample[] } };
    if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`);
    return answer.data.result;
  };
  await until(
    () =>
      fetch(`http://127.0.0.1:${port}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    `Prometheus is ready (${complaints})`,
    60_000,
  );
  return { query };
}
