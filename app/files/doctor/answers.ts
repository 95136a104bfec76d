// `ferry doctor`, the judgements: what each answer of the store to a probe means. Pure; doctor-s3.ts asks the questions.
import { formatBytes, formatDuration } from '../../core/units.ts';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';

/** What a probe was answered. Status 0: no answer, and the message says why. */
export interface ProbeAnswer {
  readonly status: number;
  /** S3's error code, '' for a success. */
  readonly code: string;
  /** A sentence that names the call, the place and the server's words. */
  readonly message: string;
}

const isSuccess = ({ status }: ProbeAnswer) => status >= 200 && status < 300;
/** Only this code speaks of permissions: a wrong signature or an unknown key is 403 too. */
const isDenied = ({ status, code }: ProbeAnswer) =>
  status === 403 && /^(AccessDenied|AllAccessDisabled|)$/.test(code);

/** S3 refuses a request that is 15 minutes off. */
const SKEW_LIMIT_MS = 15 * 60_000;

/** `serverDate` is an answer's Date header. */
export function judgeClock(serverDate: string | undefined, nowMs: number): Finding {
  const serverMs = Date.parse(serverDate ?? '');
  if (!Number.isFinite(serverMs)) return unknown('clock.skew', 'The store does not say what time it is.');
  const offMs = Math.abs(nowMs - serverMs);
  const text = `This machine's clock is ${formatDuration(offMs)} ${nowMs < serverMs ? 'behind' : 'ahead of'} the store's`;
  const remedy = 'Set the clock, best by NTP (chrony, systemd-timesyncd).';
  if (offMs >= SKEW_LIMIT_MS)
    return fail('clock.skew', `${text}; S3 refuses requests that are 15m off.`, remedy);
  if (offMs > 60_000) return warn('clock.skew', `${text}.`, remedy);
  return ok('clock.skew', "This machine's clock agrees with the store's.");
}

export function judgeRegion(bucketRegion: string | undefined, region: string): Finding {
  if (!bucketRegion)
    return unknown('s3.region', `The store does not name the bucket's region; ${region} is in use.`);
  if (bucketRegion === region) return ok('s3.region', `The bucket is in the region ${region}.`);
  return fail(
    's3.region',
    `The bucket is in the region ${bucketRegion}, and requests are made for ${region}.`,
    `Set --region ${bucketRegion}.`,
  );
}

export function judgeList(answer: ProbeAnswer, bucket: string, prefix: string): Finding {
  if (isSuccess(answer)) return ok('s3.list', `Listing s3://${bucket}/${prefix} is allowed.`);
  const remedies: Record<string, string> = {
    NoSuchBucket: 'Make the bucket, or mend its name in --to.',
    InvalidAccessKeyId:
      'The store does not know this key: check which credentials are in use, and the endpoint.',
    SignatureDoesNotMatch: 'The secret key does not fit the access key: check both.',
    ExpiredToken: 'Renew the credentials.',
    RequestTimeTooSkewed: "Set this machine's clock.",
  };
  const policy = `Allow s3:ListBucket on arn:aws:s3:::${bucket}${prefix === '' ? '' : ` for the prefix ${prefix}*`}: without it nothing can be proved, so nothing is freed.`;
  const remedy =
    remedies[answer.code] ?? (isDenied(answer) ? policy : 'Check --to, --endpoint and --region.');
  return fail('s3.list', answer.message, remedy);
}

export function judgePut(answer: ProbeAnswer, key: string, resource: string): Finding {
  if (isSuccess(answer)) {
    return ok('s3.put', `Putting is allowed: the probe ${key} was written. Ferry cannot delete it; you may.`);
  }
  const kms = /kms/i.test(answer.message) ? ' and kms:GenerateDataKey on the key' : '';
  const remedy = isDenied(answer)
    ? `Allow s3:PutObject on ${resource}${kms}.`
    : answer.code === 'NotImplemented'
      ? 'This store does not know If-None-Match: Ferry needs it so that nothing is ever overwritten. Use a newer version.'
      : 'Mend what the store says, then run the doctor again.';
  return fail('s3.put', answer.message, remedy);
}

/** The answer to a second conditional PUT of a key that is taken. */
export function judgeCondition(answer: ProbeAnswer): Finding {
  if (answer.status === 412)
    return ok('s3.condition', 'A key that is taken is not written again (If-None-Match).');
  if (isSuccess(answer)) {
    return fail(
      's3.condition',
      'The store ignores If-None-Match: a second PUT overwrote the first.',
      'Use a store that enforces conditional writes (S3, versitygw, recent MinIO or Ceph).',
    );
  }
  return fail('s3.condition', answer.message, 'The store must answer 412 to a PUT of a key that is taken.');
}

/** The answer to a PUT of the same content and key without the condition. */
export function judgeOverwrite(answer: ProbeAnswer): Finding {
  if (isDenied(answer)) return ok('s3.overwrite', 'Overwriting is refused even without the condition.');
  if (isSuccess(answer)) {
    return warn(
      's3.overwrite',
      'Ferry never overwrites, but these credentials may: a PUT without the condition was taken.',
      "Deny s3:PutObject in the bucket's policy when s3:if-none-match is absent (Null, with s3:ObjectCreationOperation true).",
    );
  }
  return unknown('s3.overwrite', `Whether overwriting is refused cannot be told: ${answer.message}`);
}

export interface ListedProbe {
  readonly sizeBytes: number;
  readonly etag: string;
}

/** Which proof a listing gives for a probe of this size and content. */
export function judgeProof(
  listed: ListedProbe | undefined,
  sent: { readonly sizeBytes: number; readonly md5Hex: string },
  mayRead: boolean,
): Finding {
  if (listed === undefined) {
    return fail(
      's3.proof',
      'The probe was acknowledged, but a listing right after does not show it: nothing could be proved.',
      'Use a store whose listings show what was written (S3 does), and no cache in front of it.',
    );
  }
  if (listed.sizeBytes !== sent.sizeBytes) {
    return fail(
      's3.proof',
      `The listing shows ${formatBytes(listed.sizeBytes)} for a probe of ${formatBytes(sent.sizeBytes)}.`,
      'Something between here and the store changes content or listings: find and remove it.',
    );
  }
  if (listed.etag === sent.md5Hex) {
    return ok(
      's3.proof',
      'A listing proves content: it shows size and MD5. This also holds after the memory is lost.',
    );
  }
  if (mayRead) {
    return ok(
      's3.proof',
      "A listing proves size only (the bucket's encryption hides the MD5); HEAD proves content (--may-read).",
    );
  }
  return warn(
    's3.proof',
    "A listing proves size only: the bucket's encryption hides the MD5. Content is proved by the checksum verified at the PUT; once Ferry's memory is lost, its files are sent again under new keys.",
    'Keep --state on a volume that outlives the container; or let the role read and set --may-read; or encrypt with SSE-S3.',
  );
}

/** The answer to a PUT whose checksum belongs to other content. */
export function judgeChecksum(answer: ProbeAnswer): Finding {
  if (isSuccess(answer)) {
    return fail(
      's3.checksum',
      'The store took content that does not match its checksum: damage on the way would not be noticed.',
      'Use a store that verifies x-amz-checksum-sha256 (S3, versitygw, recent MinIO).',
    );
  }
  if (answer.status === 400) return ok('s3.checksum', 'Content that does not match its checksum is refused.');
  return unknown('s3.checksum', `Whether checksums are verified cannot be told: ${answer.message}`);
}

export function judgeMultipart(created: ProbeAnswer, aborted: ProbeAnswer | undefined): Finding {
  if (!isSuccess(created)) {
    return fail(
      's3.multipart',
      `Files above 8 MiB cannot be sent: ${created.message}`,
      'Allow s3:PutObject for multipart uploads too; a bucket policy that requires If-None-Match must exempt parts (s3:ObjectCreationOperation).',
    );
  }
  if (aborted === undefined || !isSuccess(aborted)) {
    return warn(
      's3.multipart',
      'Large files can be sent, but an unfinished upload cannot be given up; its parts cost money until they are removed.',
      'Allow s3:AbortMultipartUpload, or set a lifecycle rule that aborts incomplete uploads after some days.',
    );
  }
  return ok('s3.multipart', 'Large files can be sent in parts, and an unfinished upload can be given up.');
}

/** The answer to a GET of the probe, or of a key that is not there: 404 shows the leave to read as well. */
export function judgeRead(answer: ProbeAnswer, mayRead: boolean): Finding {
  const allowed = isSuccess(answer) || answer.status === 404;
  if (!allowed && !isDenied(answer))
    return unknown('s3.read', `Whether reading is refused cannot be told: ${answer.message}`);
  if (mayRead) {
    return allowed
      ? ok('s3.read', 'Reading is allowed, as --may-read says.')
      : fail(
          's3.read',
          'Reading is refused, but --may-read is set.',
          'Allow s3:GetObject, or drop --may-read.',
        );
  }
  return allowed
    ? warn(
        's3.read',
        'These credentials may read objects; Ferry does not need that.',
        'Take s3:GetObject from the role, so that who gets hold of it sees nothing; or set --may-read to use it.',
      )
    : ok('s3.read', 'Reading is refused: who gets hold of these credentials sees nothing.');
}

/** The answer to a DELETE of a key that is not there. */
export function judgeDelete(answer: ProbeAnswer): Finding {
  if (isDenied(answer)) return ok('s3.delete', 'Deleting is refused: what arrived stays.');
  if (isSuccess(answer) || answer.status === 404) {
    return warn(
      's3.delete',
      'These credentials may delete objects; Ferry never does. (Tried on a key that is not there; a versioned bucket has a delete marker for it now.)',
      'Take s3:DeleteObject and s3:DeleteObjectVersion from the role.',
    );
  }
  return unknown('s3.delete', `Whether deleting is refused cannot be told: ${answer.message}`);
}
