#!/usr/bin/env node
// `ferry`: hands the command line over, and turns how it ended into an exit code and, at most, one plain message.
import { runCommandLine } from './command-line.ts';
import { EXIT, FerryError, StoreError } from './core/errors.ts';
import { maskText } from './core/log.ts';

const words = process.argv.slice(2);
const withStack = words.includes('--stack') || ['1', 'true'].includes(process.env.FERRY_STACK ?? '');

goWhereNpmWasCalled(process.env);
hideSqliteWarning();
endQuietlyWithoutReader();
process.on('uncaughtException', (error) => process.exit(report(error)));

try {
  await end(
    EXIT[await runCommandLine(words, { env: process.env, stdout: process.stdout, stderr: process.stderr })],
  );
} catch (error) {
  await end(report(error));
}

/** Says what went wrong on stderr and answers the exit code. */
function report(error: unknown): number {
  const stack = withStack && error instanceof Error ? `\n${maskText(error.stack ?? '')}` : '';
  const say = (text: string) => process.stderr.write(`ferry: ${maskText(text)}${stack}\n`);
  if (error instanceof FerryError) {
    say(`${sentence(error.message)}${error.message.endsWith('\n') ? '' : ' '}${error.remedy}`);
    return EXIT[error.exit];
  }
  if (error instanceof StoreError) {
    say(`${sentence(error.message)} \`ferry doctor\` with the same flags says what the store allows.`);
    return EXIT.store;
  }
  const message = error instanceof Error ? error.message : String(error);
  say(`internal error: ${message}${withStack ? '' : ' (run again with --stack to see where)'}`);
  return EXIT.internal;
}

function sentence(text: string): string {
  return /[.!?:\n]$/.test(text) ? text : `${text}.`;
}

/** Ends once everything is written: whatever else still holds the process is not worth waiting for. */
async function end(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr])
    await new Promise((resolve) => stream.write('', resolve));
  process.exit(code);
}

/**
 * `ferry config | head` closes the pipe early: that is no error. The mover goes on without its log, since the files
 * matter more; everything else has nobody left to work for.
 */
function endQuietlyWithoutReader(): void {
  const command = words.find((word) => !word.startsWith('-'));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (command !== 'files') process.exit(EXIT.ok);
    });
  }
}

/** `npm start` runs in Ferry's own directory; relative paths are meant from where it was typed. */
function goWhereNpmWasCalled({ npm_lifecycle_event, npm_package_name, INIT_CWD }: NodeJS.ProcessEnv): void {
  if (npm_lifecycle_event === 'start' && npm_package_name === 'ferry' && INIT_CWD) process.chdir(INIT_CWD);
}

/** Early releases of Node 24 call node:sqlite experimental each time it is loaded; other warnings stay. */
function hideSqliteWarning(): void {
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && /sqlite/i.test(warning.message)) return;
    for (const listener of listeners) listener(warning);
  });
}
