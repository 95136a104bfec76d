// Names of files are bytes, not text: how Ferry carries them without losing one, and how they become part of a key.

/**
 * A path relative to the source, one character per byte (latin1), parts joined by '/'. For ASCII names it reads as the
 * text it is. Bytes that are not UTF-8 survive, which a JavaScript string made by `readdir` would replace.
 */
export type BytePath = string;

const ASCII = /^[\x00-\x7f]*$/;

/** What the file system calls take for this path: the string itself where it is ASCII, its bytes otherwise. */
export function toSystemPath(path: BytePath): string | Buffer {
  return ASCII.test(path) ? path : Buffer.from(path, 'latin1');
}

/** A path given as text (a setting) -> bytes, one character each. */
export function toBytePath(text: string): BytePath {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The path as text: UTF-8 where it is, `%FF` for a byte that is not. What people see, and `{path}` in a key. */
export function toText(path: BytePath): string {
  if (ASCII.test(path)) return path;
  const bytes = Buffer.from(path, 'latin1');
  try {
    return utf8.decode(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

function decodeLossless(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += `%${(bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, '0')}`;
      at += 1;
    } else {
      text += bytes.toString('utf8', at, at + length);
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence that starts here; 0 when none does. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (at + length > bytes.length) return 0;
  try {
    utf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** The directory part, '' at the top. */
export function parentOf(path: BytePath): BytePath {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseOf(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(directory: BytePath, name: BytePath): BytePath {
  return directory === '' ? name : `${directory}/${name}`;
}

/**
 * Where a file waits, for microseconds, between the last check and its unlink. Restored by the next walk if Ferry is
 * killed there. The end of a name too long for the marker is kept.
 */
const ASIDE_MARKER = '.ferry-aside.';
const NAME_MAX_BYTES = 255;

export function asideName(name: BytePath): BytePath {
  return ASIDE_MARKER + name.slice(Math.max(0, ASIDE_MARKER.length + name.length - NAME_MAX_BYTES));
}

/** The name to restore, or undefined when the entry is no aside. */
export function restoredName(name: BytePath): BytePath | undefined {
  return name.startsWith(ASIDE_MARKER) && name.length > ASIDE_MARKER.length
    ? name.slice(ASIDE_MARKER.length)
    : undefined;
}
