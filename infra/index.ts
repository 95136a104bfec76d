// The Pulumi program: reads the stack's settings, deploys, and says what a person needs next. `pulumi up` runs it.
import { join } from 'node:path';
import { getRootDirectory, getStack, RunError, runtime } from '@pulumi/pulumi';
import { FerryError } from '../app/core/errors.ts';
import { keptKeys, NO_KEYS } from '../manifests/s3-keys.ts';
import { deploy, type Outputs } from './program.ts';
import { stackEvents, stackSettings } from './stack-settings.ts';

async function run(): Promise<Outputs> {
  const stack = getStack();
  const offline = process.env.FERRY_PREVIEW_OFFLINE === 'true';
  if (offline && !runtime.isDryRun())
    throw new RunError(
      'FERRY_PREVIEW_OFFLINE is for previews: without it `pulumi up` asks AWS and the cluster.',
    );
  try {
    const settings = stackSettings(getRootDirectory(), stack, runtime.allConfig());
    const events = stackEvents(getRootDirectory(), stack, settings, runtime.allConfig());
    return await deploy(stack, settings, events, {
      keys: () => (offline ? NO_KEYS : keptKeys(join(getRootDirectory(), '.ferry'), stack)),
      offline,
      env: process.env,
    });
  } catch (error) {
    // Pulumi shows such an error as it is, and any other with its stack.
    if (error instanceof FerryError) throw new RunError(`${error.message.trimEnd()}\n${error.remedy}`);
    throw error;
  }
}

const outputs = await run();
/** Where the files go. */
export const bucket = outputs.bucket;
/** What the uploader may do, it may as this role. */
export const roleArn = outputs.roleArn;
export const namespace = outputs.namespace;
/** Leads to the page and the metrics: http://localhost:9464/. */
export const page = outputs.page;
/** Asks from inside the pod whether all is allowed that must be. */
export const doctor = outputs.doctor;
