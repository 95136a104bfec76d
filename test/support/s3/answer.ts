// What the test server says: an answer, S3's error document, and XML text.

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** Thrown by anything that finds a request wrong; carries S3's own code. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(status: number, code: string, message: string, extra: RefusalExtra = {}) {
    super(`${status} ${code}: ${message}`);
    this.answer = errorAnswer(status, code, message, extra);
  }
}

export interface RefusalExtra {
  /** More elements of the error document, e.g. `{ Region: 'eu-west-1' }`. */
  readonly elements?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function errorAnswer(status: number, code: string, message: string, extra: RefusalExtra = {}): Answer {
  const elements = Object.entries({ Code: code, Message: message, ...extra.elements });
  return {
    status,
    headers: { 'content-type': 'application/xml', ...extra.headers },
    body: xml('Error', elements.map(([name, text]) => element(name, text)).join('')),
  };
}

export function xml(root: string, inner: string): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${inner}</${root}>`;
}

export function element(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeText(String(text))}</${name}>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** As S3 does: control characters that XML 1.0 cannot hold become references a strict parser refuses. */
function escapeText(text: string): string {
  return text.replace(
    /[&<>"\x00-\x08\x0b-\x1f]/g,
    (unit) => ENTITIES[unit] ?? `&#x${unit.charCodeAt(0).toString(16)};`,
  );
}

/** S3's `encoding-type=url`: a form's encoding (space is `+`) that leaves `/` alone. */
export function encodeListed(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');
}
