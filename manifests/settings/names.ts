// Names as Kubernetes takes them.

export const NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const NAME_TEXT = 'a name of small letters, digits and dashes that starts with a letter';
