// Settings of what is made in the AWS account around the bucket, and of the way to the cluster. The manifests need none
// of them; they stand here because a target has one file of settings, and one schema for it.
import { choice, count, field, optional, size, text, toggle } from '../../app/core/settings/fields.ts';
import { BUCKET_NAME, BUCKET_NAME_TEXT } from './names.ts';

const CLUSTER = 'The way to the cluster';
const GUARDS = 'Who else may do what';
const AGES = 'What becomes of old objects';
const DAYS = { min: 1, max: 36_500 };

export const AWS_FIELDS = {
  cluster: optional(
    text(
      {
        group: CLUSTER,
        what: 'Name of the existing EKS cluster',
        example: 'staging',
        otherwise: 'none; then kube-context and oidc-issuer are needed',
      },
      'NAME',
      "an EKS cluster's name",
      /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    ),
  ),
  kubeContext: optional(
    text(
      {
        group: CLUSTER,
        what: 'Context of the kubeconfig that leads to the cluster',
        example: 'minikube',
        otherwise: "the EKS cluster's own address and `aws eks get-token`",
      },
      'NAME',
      'a context of the kubeconfig',
      /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,252}$/,
    ),
  ),
  oidcIssuer: optional(
    field(
      {
        group: CLUSTER,
        what: "URL of the cluster's OIDC issuer, which IAM must know as a provider",
        example: 'https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF',
        otherwise: 'looked up at the EKS cluster',
      },
      'URL',
      'an https:// URL without a port',
      (given) =>
        /^https:\/\/[a-z0-9.-]+(\/[A-Za-z0-9._-]+)*$/.test(given)
          ? { value: given }
          : { wrong: 'is no address of an issuer' },
    ),
  ),
  wait: toggle({
    group: CLUSTER,
    what: '`pulumi up` ends when the pod runs; otherwise when the cluster knows of it',
    default: 'true',
  }),
  permissionsBoundary: optional(
    text(
      {
        group: GUARDS,
        what: 'Policy that bounds the role, where the account asks for one',
        example: 'arn:aws:iam::111122223333:policy/boundary',
        otherwise: 'none',
      },
      'ARN',
      'the ARN of an IAM policy',
      /^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[A-Za-z0-9+=,.@_/-]{1,512}$/,
    ),
  ),
  breakGlassRole: optional(
    text(
      {
        group: GUARDS,
        what: 'The only role that may delete below the prefix',
        example: 'arn:aws:iam::111122223333:role/break-glass',
        otherwise: 'nobody may',
      },
      'ARN',
      'the ARN of an IAM role',
      /^arn:aws[a-z-]*:iam::\d{12}:role\/[A-Za-z0-9+=,.@_/-]{1,512}$/,
    ),
  ),
  vpcEndpoint: optional(
    text(
      {
        group: GUARDS,
        what: 'The only VPC endpoint through which objects come and go',
        example: 'vpce-0123456789abcdef0',
        otherwise: 'any way',
      },
      'ID',
      'the id of a VPC endpoint',
      /^vpce-[0-9a-f]{8,17}$/,
    ),
  ),
  encryption: choice(
    {
      group: GUARDS,
      what: "sse-s3: S3's own keys. sse-kms: a key of yours; listings then show no MD5",
      example: 'sse-s3',
      default: 'sse-s3',
    },
    ['sse-s3', 'sse-kms'],
  ),
  kmsKey: optional(
    text(
      {
        group: GUARDS,
        what: 'Key of encryption sse-kms; its own policy must let the role use it',
        example: 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef',
        otherwise: 'none; needed with sse-kms',
      },
      'ARN',
      'the ARN of a KMS key, not of an alias',
      /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-)?[0-9a-f-]{32,36}$/,
    ),
  ),
  accessLogBucket: optional(
    text(
      {
        group: GUARDS,
        what: "Existing bucket that gets S3's server access logs; its policy must let logging.s3.amazonaws.com write",
        example: 'acme-access-logs',
        otherwise: 'no access logs',
      },
      'NAME',
      BUCKET_NAME_TEXT,
      BUCKET_NAME,
    ),
  ),
  alarmTopic: optional(
    text(
      {
        group: GUARDS,
        what: 'SNS topic that is told when the bucket gets no files or refuses them',
        example: 'arn:aws:sns:eu-central-1:111122223333:oncall',
        otherwise: 'no alarms, and no charges for request metrics',
      },
      'ARN',
      'the ARN of an SNS topic',
      /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    ),
  ),
  abortUploadsDays: count(
    { group: AGES, what: 'Unfinished uploads go after so many days', example: '7', default: '7' },
    DAYS,
  ),
  oldVersionsDays: count(
    {
      group: AGES,
      what: 'What was deleted can be brought back for so many days',
      example: '90',
      default: '90',
    },
    DAYS,
  ),
  instantRetrievalDays: optional(
    count(
      {
        group: AGES,
        what: 'Objects move to Glacier Instant Retrieval after so many days',
        example: '30',
        otherwise: 'never',
      },
      DAYS,
    ),
  ),
  instantRetrievalFromBytes: size({
    group: AGES,
    what: 'Objects smaller than this do not, as that class bills 128 KiB at least',
    example: '128Ki',
    default: '128Ki',
  }),
  deepArchiveDays: optional(
    count(
      {
        group: AGES,
        what: 'Objects move to Glacier Deep Archive after so many days; reading one then takes 12 to 48 hours',
        example: '365',
        otherwise: 'never',
      },
      DAYS,
    ),
  ),
  deepArchiveFromBytes: size({
    group: AGES,
    what: 'Objects smaller than this do not: the move ($0.05 per 1,000) pays back in 5 years only above about 362 KB',
    example: '512Ki',
    default: '512Ki',
  }),
  expireDays: optional(
    count(
      {
        group: AGES,
        what: 'S3 deletes the data itself after so many days',
        example: '3650',
        otherwise: 'never',
      },
      DAYS,
    ),
  ),
};

/** Those that have a meaning without an AWS account, too. */
export const ANYWHERE: ReadonlySet<string> = new Set(['kubeContext', 'wait']);
