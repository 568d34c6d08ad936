/** crypto: random values, UUIDs and digests, all of the host's own generator and hash functions. */
import { askBytes, askText } from "./bridge.ts";
import { copyBytes, isBytes, type BytesLike } from "./bytes.ts";
import { DOMException } from "./dom-exception.ts";

export const crypto = {
  getRandomValues<T extends ArrayBufferView>(view: T): T {
    if (!INTEGERS.some((kind) => view instanceof kind)) {
      throw new DOMException("getRandomValues needs an array of integers", "TypeMismatchError");
    }
    if (view.byteLength > RANDOM_MAX) {
      throw new DOMException(`getRandomValues gives at most ${RANDOM_MAX} bytes`, "QuotaExceededError");
    }
    const target = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    if (target.length > 0) target.set(new Uint8Array(askBytes("random", `${target.length}`)));
    return view;
  },

  randomUUID(): string {
    return askText("uuid");
  },

  subtle: {
    async digest(algorithm: unknown, data: BytesLike): Promise<ArrayBuffer> {
      const name = digestName(algorithm);
      if (!DIGESTS.has(name))
        throw new DOMException(`the digest "${name.slice(0, 40)}" is unknown`, "NotSupportedError");
      if (!isBytes(data)) throw new TypeError("digest needs an ArrayBuffer or a view of one");
      return askBytes("digest", data.byteLength === 0 ? "" : copyBytes(data).buffer, name);
    },
  },
};

// --- internal ---

/** `"SHA-256"`, or an object that names it. */
function digestName(algorithm: unknown): string {
  const named =
    typeof algorithm === "object" && algorithm !== null && "name" in algorithm ? algorithm.name : algorithm;
  return String(named).toUpperCase();
}

const RANDOM_MAX = 65_536;
const DIGESTS = new Set(["SHA-1", "SHA-256", "SHA-384", "SHA-512"]);
const INTEGERS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
];
