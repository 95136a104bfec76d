// Two healthy movers in a process of their own, one with a busy writer and one with none. Sends their ports to who started
// it, writes when told to, and ends with it.
import { rmSync } from 'node:fs';
import { openSite } from './site.ts';

const directories: string[] = [];
process.once('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
// Who started it takes it down as a whole.
const ended = { after() {} };
const [busy, idle] = [await openSite(ended), await openSite(ended)];
directories.push(busy.rig.directory, idle.rig.directory);
process.on('message', () => busy.write(12));
process.once('disconnect', () => process.exit(0));
process.send?.([busy.port, idle.port]);
