// Settings of the program and of the cluster around it.
import { choice, field, text, toggle } from '../../app/core/settings/fields.ts';
import { parseCidrs, parseImage } from '../quantities.ts';
import { NAME, NAME_TEXT } from './names.ts';

const PROGRAM = 'The program';
const CLUSTER = 'The cluster';

export const CLUSTER_FIELDS = {
  namespace: text(
    { group: CLUSTER, what: 'Namespace of everything; it is made', example: 'ferry', default: 'ferry' },
    'NAME',
    NAME_TEXT,
    NAME,
  ),
  name: text(
    { group: CLUSTER, what: "Name of the writer's pod", example: 'file-writer', default: 'file-writer' },
    'NAME',
    'a name of at most 40 small letters, digits and dashes that starts with a letter',
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
  ),
  image: field(
    {
      group: PROGRAM,
      what: "Ferry's image; by digest unless the S3 server is in the cluster",
      example: 'registry.example.com/ferry@sha256:…',
    },
    'IMAGE',
    'an image name with a tag or a digest',
    parseImage,
  ),
  logLevel: choice(
    { group: PROGRAM, what: 'Least important lines that are logged', example: 'info', default: 'info' },
    ['debug', 'info', 'warn', 'error'],
  ),
  evictable: toggle({
    group: CLUSTER,
    what: 'Let the drain of a node take the pod away, as its files are moved in time; otherwise such a drain waits until somebody deletes the pod',
    default: 'false',
  }),
  monitoring: toggle({
    group: CLUSTER,
    what: 'Add a ServiceMonitor and a PrometheusRule; the cluster must know these kinds',
    default: 'false',
  }),
  monitoringNamespace: text(
    {
      group: CLUSTER,
      what: 'Namespace that may read the metrics',
      example: 'monitoring',
      default: 'monitoring',
    },
    'NAME',
    NAME_TEXT,
    NAME,
  ),
  egress: field(
    {
      group: CLUSTER,
      what: 'Addresses of S3 and STS that the pod may reach on port 443: those of VPC endpoints, when there are some',
      example: '10.0.0.0/16',
      default: '0.0.0.0/0',
    },
    'CIDRS',
    'IPv4 networks with commas between them',
    parseCidrs,
  ),
};
