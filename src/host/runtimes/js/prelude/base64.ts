/** atob and btoa, on strings of bytes. */
import { askBytes, askText } from "./bridge.ts";
import { DOMException } from "./dom-exception.ts";

export function btoa(data: unknown): string {
  if (arguments.length === 0) throw new TypeError("btoa needs a string");
  const text = String(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255)
      throw new DOMException("the string has characters beyond U+00FF", "InvalidCharacterError");
    bytes[i] = code;
  }
  return askText("base64.encode", bytes.buffer);
}

export function atob(data: unknown): string {
  if (arguments.length === 0) throw new TypeError("atob needs a string");
  let text = String(data).replaceAll(/[\t\n\f\r ]/g, "");
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, "");
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw new DOMException("the string is not base64", "InvalidCharacterError");
  }
  const bytes = new Uint8Array(askBytes("base64.decode", text));
  let result = "";
  for (let i = 0; i < bytes.length; i += CHUNK) {
    result += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return result;
}

// --- internal ---

const CHUNK = 4096;
