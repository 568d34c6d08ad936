/**
 * The language's own functions as they were before the plugin ran. Whatever carries messages uses these and nothing that
 * a plugin can replace, so that a changed `JSON.parse` or `Promise.prototype.then` changes the plugin's world alone.
 */
/* eslint-disable typescript/unbound-method -- they are called by Reflect.apply, with what they are to work on */
export const { parse, stringify } = JSON;
export const { apply } = Reflect;
export const { freeze, defineProperty, create } = Object;
export const { isView } = ArrayBuffer;
export const stringOf: (value: unknown) => string = String;
export const numberOf = Number;

export const promiseThen: (
  this: Promise<unknown>,
  ok: (value: unknown) => void,
  bad: (error: unknown) => void,
) => unknown = Promise.prototype.then;
export const sliceText: (this: string, from: number, to?: number) => string = String.prototype.slice;
export const splitText: (this: string, separator: string) => string[] = String.prototype.split;

const NativePromise = Promise;
const NativeError = Error;

export function makePromise<T>(
  body: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  return new NativePromise<T>(body);
}

export function makeError(message: string): Error {
  return new NativeError(message);
}
