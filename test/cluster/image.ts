// Ferry's image without Docker and without a registry, from what `npm ci` has brought: the bundle, Node and the libraries
// that Node is linked with, set up as the Dockerfile says. For tests the S3 server's image is made the same way.
//
//   npm run image                  writes .cache/images/ferry.tar and says how to load it
//   npm run image -- minikube      and loads it into minikube
//   npm run image -- kind          or into kind
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../../app/bundle.ts';
import { ROOT } from '../support/cli.ts';
import { imageConfig } from '../support/image.ts';
import { findVersitygw } from '../support/versitygw.ts';

/** Names without a registry's: nothing tries to pull them. */
export const FERRY_IMAGE = 'localhost/ferry:dev';
export const S3_IMAGE = 'localhost/versitygw:v1.8.0';

const OUT = join(ROOT, '.cache/images');
const run = promisify(execFile);

/** How a container of the image runs; the names are the image format's own. */
interface Config {
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly User?: string;
  readonly Env?: readonly string[];
}

/** Makes the archive of Ferry's image and answers its path. Takes two seconds. */
export async function makeFerryImage(): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'ferry-image-'));
  try {
    const app = join(scratch, 'app');
    await bundle(app);
    const files = { '/nodejs/bin/node': process.execPath, '/app': app };
    return await makeImage('ferry.tar', FERRY_IMAGE, files, imageConfig());
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The same for the S3 server; `missing` says what this machine lacks. */
export async function makeS3Image(): Promise<string | { readonly missing: string }> {
  const program = await findVersitygw();
  if (typeof program !== 'string') return program;
  const at = '/usr/local/bin/versitygw';
  return makeImage('versitygw.tar', S3_IMAGE, { [at]: program }, { Entrypoint: [at] });
}

/** Writes a Docker archive of one layer: these files and directories, and the shared libraries that any file needs. */
async function makeImage(
  file: string,
  name: string,
  files: Readonly<Record<string, string>>,
  config: Config,
): Promise<string> {
  await mkdir(OUT, { recursive: true });
  const archive = join(OUT, file);
  const scratch = await mkdtemp(join(tmpdir(), 'ferry-layer-'));
  try {
    const root = join(scratch, 'root');
    const place = async (at: string, from: string): Promise<void> => {
      const to = join(root, at);
      await mkdir(dirname(to), { recursive: true });
      await symlink(await realpath(from), to);
    };
    const libraries = (await Promise.all(Object.values(files).map(librariesOf))).flat();
    for (const [at, from] of Object.entries(files)) await place(at, from);
    for (const library of new Set(libraries)) await place(library, library);
    for (const directory of ['tmp', 'home/nonroot', 'var/lib/ferry'])
      await mkdir(join(root, directory), { recursive: true });
    const layer = join(scratch, 'layer.tar');
    // Links are followed, so nothing was copied; the same files make the same bytes.
    const same = ['--sort=name', '--numeric-owner', '--owner=0', '--group=0', '--mtime=@0'];
    await run('tar', ['--dereference', ...same, '--mode=u+rwX,go+rX', '-C', root, '-cf', layer, '.']);
    const digest = await sha256Of(layer);
    await writeFile(
      join(scratch, 'config.json'),
      JSON.stringify({
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        os: 'linux',
        config,
        rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
      }),
    );
    await writeFile(
      join(scratch, 'manifest.json'),
      JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]),
    );
    const parts = ['manifest.json', 'config.json', 'layer.tar'];
    await run('tar', ['--mtime=@0', '-C', scratch, '-cf', `${archive}.new`, ...parts]);
    await rename(`${archive}.new`, archive);
    return archive;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The absolute paths of what a program is linked with; none for a script or a static program. */
async function librariesOf(program: string): Promise<string[]> {
  try {
    const { stdout } = await run('ldd', [program]);
    return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? '');
  } catch {
    return [];
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

const LOAD: Readonly<Record<string, (archive: string) => readonly [string, ...string[]]>> = {
  minikube: (archive) => ['minikube', 'image', 'load', archive],
  kind: (archive) => ['kind', 'load', 'image-archive', archive],
};

async function main([into]: readonly string[]): Promise<void> {
  const load = into === undefined ? undefined : LOAD[into];
  if (into !== undefined && load === undefined)
    throw new Error(`Cannot load images into ${into}: name minikube or kind.`);
  const archive = await makeFerryImage();
  const words = load?.(archive);
  if (words !== undefined) await run(words[0], words.slice(1));
  console.log(
    words === undefined
      ? `${archive}\nLoad it with "minikube image load FILE", "kind load image-archive FILE" or "ctr -n k8s.io images import FILE".`
      : `${FERRY_IMAGE} is in ${into}.`,
  );
}

if (import.meta.main)
  await main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
