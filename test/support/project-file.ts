// Writes the settings into Pulumi.yaml as the schema has them; part of `npm run docs`. A test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { declaredConfig } from '../../infra/declared-config.ts';

const PROJECT = join(import.meta.dirname, '../../Pulumi.yaml');

const project = parseDocument(readFileSync(PROJECT, 'utf8'));
project.set('config', declaredConfig());
writeFileSync(PROJECT, project.toString({ lineWidth: 0 }));
