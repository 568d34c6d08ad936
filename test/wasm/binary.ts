/** Modules byte by byte, for what the assembler would not write. */

export function module(...sections: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}

export function section(id: number, body: readonly number[]): number[] {
  return [id, ...number(body.length), ...body];
}

/** `count` times the same. */
export function vector(count: number, item: readonly number[]): number[] {
  return [...number(count), ...Array.from({ length: count }, () => item).flat()];
}

export function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

/** LEB128, unsigned. */
export function number(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
