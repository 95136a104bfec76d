// Pulumi's policy host compiles TypeScript with a compiler of its own; Node runs ours as it is.
module.exports = import('./crossguard.ts');
