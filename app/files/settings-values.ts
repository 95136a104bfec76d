// What the two settings with a grammar of their own may hold: the destination and the key template.
import { parseDirectory } from '../core/settings/fields.ts';
import { nearest } from '../core/settings/names.ts';
import { KEY_PLACEHOLDERS } from './key.ts';

type Parsed = { value: string } | { wrong: string };

/** S3's rule for bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** S3 allows 1,024 bytes for a whole key; the rest is for the template and the path. */
const PREFIX_MAX_BYTES = 512;

/** `s3://bucket/prefix` without a trailing slash, or an absolute directory. */
export function parseDestination(text: string): Parsed {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme === undefined) {
    if (/^s3[:/]/i.test(text))
      return { wrong: 'is no S3 URL: after s3: come two slashes (a folder of that name is ./s3/…)' };
    if (text.split('/').includes('..')) return { wrong: 'holds ..: write the directory it means' };
    return parseDirectory(text);
  }
  if (scheme !== 's3') return { wrong: `is neither an s3:// URL nor a directory (${scheme}://)` };
  const [bucket = '', ...segments] = text.slice('s3://'.length).replace(/\/$/, '').split('/');
  if (!BUCKET.test(bucket))
    return { wrong: 'has no valid bucket name (3 to 63 of a-z, 0-9, dot and dash) after s3://' };
  const prefix = segments.join('/');
  if (Buffer.byteLength(prefix) > PREFIX_MAX_BYTES)
    return { wrong: `has a prefix longer than ${PREFIX_MAX_BYTES} bytes` };
  const bad = badSegments(segments);
  return bad === undefined
    ? { value: `s3://${[bucket, ...segments].join('/')}` }
    : { wrong: `has a prefix that ${bad}` };
}

export function parseKeyTemplate(text: string): Parsed {
  const bad = badSegments(text.split('/'));
  if (bad !== undefined) return { wrong: bad };
  const known = Object.keys(KEY_PLACEHOLDERS);
  const unknown: string[] = [];
  const literal = text.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    if (!known.includes(name)) unknown.push(name);
    return '';
  });
  const [first] = unknown;
  if (first !== undefined) {
    const meant = nearest(first, known);
    const hint = meant === undefined ? '' : `; did you mean {${meant}}?`;
    return { wrong: `holds the unknown placeholder {${first}}${hint}` };
  }
  if (/[{}]/.test(literal)) return { wrong: 'has a brace without its other half' };
  if (!text.includes('{path}')) return { wrong: 'does not hold {path}, so two files could get the same key' };
  return { value: text };
}

/** Why these parts of a key would not be listed as they were written (some servers drop `//`, `.` and `..`). */
function badSegments(segments: readonly string[]): string | undefined {
  if (segments.length > 0 && segments.includes(''))
    return 'has an empty part (a slash at an end, or two together)';
  if (segments.includes('..')) return 'holds ..';
  if (segments.includes('.')) return 'holds a part that is a single dot';
  if (segments.some((segment) => /[\u0000-\u001f\u007f\\]/.test(segment)))
    return 'holds a backslash or a control character';
  return undefined;
}
