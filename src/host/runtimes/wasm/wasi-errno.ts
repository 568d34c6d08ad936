/** The error numbers of WASI preview 1 that our part of it gives. */
export const ERRNO = {
  success: 0,
  badDescriptor: 8,
  invalid: 28,
  notSupported: 58,
  notSeekable: 70,
} as const;
