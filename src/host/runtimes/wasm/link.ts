/**
 * Finds a function of the host for each import of a module, or says why there is none. What was not granted is not linked:
 * the module does not load, and the refusal says which grant it lacks. Pure. Called by wasm-instance.ts.
 */
import { didYouMean, quote } from "../../../base/text.ts";
import { GuestRefusal } from "./guest-errors.ts";
import { signatureText, type ImportShape, type ModuleShape, type Signature } from "./module-shape.ts";

/** What a module may import: by namespace, by name. */
export type Offers = Readonly<Record<string, Readonly<Record<string, Offer>>>>;

export interface Offer {
  readonly type: Signature;
  /** Numbers as the engine gives them: i64 as bigint. Undefined where it is closed to this plugin. */
  readonly run: HostFunction | undefined;
  /** One of these capabilities would open it. */
  readonly needs?: readonly string[];
  /** Of these, what its plugin.toml asks for. */
  readonly asked?: readonly string[];
}

export type HostFunction = (...args: never[]) => number | bigint | void;

/** As `WebAssembly.instantiate` wants them, with only what the module imports. */
export type Links = Record<string, Record<string, HostFunction>>;

export function linkModule(shape: ModuleShape, offers: Offers, plugin: string): Links {
  const links: Links = {};
  for (const wanted of shape.imports) {
    const run = runOf(wanted, offers, plugin);
    links[wanted.module] = { ...links[wanted.module], [wanted.name]: run };
  }
  return links;
}

// --- internal ---

function runOf(wanted: ImportShape, offers: Offers, plugin: string): HostFunction {
  const space = Object.hasOwn(offers, wanted.module) ? offers[wanted.module] : undefined;
  if (space === undefined) throw noSuchSpace(wanted, offers);
  const offer = Object.hasOwn(space, wanted.name) ? space[wanted.name] : undefined;
  if (offer === undefined) throw noSuchFunction(wanted, space);
  if (wanted.kind !== "function")
    throw new GuestRefusal(`the module imports ${nameOf(wanted)} as a ${wanted.kind}, and it is a function`);
  if (wanted.type !== offer.type)
    throw new GuestRefusal(
      `the module imports ${nameOf(wanted)} as ${signatureText(wanted.type ?? "")}, and it is ${signatureText(offer.type)}`,
      "docs/wasm.md has the types of all functions",
    );
  if (offer.run === undefined) throw notGranted(wanted, offer, plugin);
  return offer.run;
}

function nameOf({ module, name }: ImportShape): string {
  return quote(`${module}.${name}`);
}

function noSuchSpace(wanted: ImportShape, offers: Offers): GuestRefusal {
  const spaces = Object.keys(offers).join(", ");
  const at = Object.keys(offers).find((space) => Object.hasOwn(offers[space] ?? {}, wanted.name));
  return new GuestRefusal(
    `the module imports ${nameOf(wanted)}, and there is nothing called ${quote(wanted.module)}; there is: ${spaces}`,
    at === undefined ? HINTS.get(wanted.module) : `did you mean ${at}.${wanted.name}?`,
  );
}

/** What other builds of the languages import. A module names it as it likes, so this is no object. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["wasi_unstable", "build it for WASI preview 1 (wasi_snapshot_preview1)"],
  ["gojs", "build it with GOOS=wasip1, not GOOS=js"],
  ["wbg", "build it without wasm-bindgen: there is no JavaScript around it"],
]);

function noSuchFunction(wanted: ImportShape, space: Readonly<Record<string, Offer>>): GuestRefusal {
  const meant = didYouMean(wanted.name, Object.keys(space));
  return new GuestRefusal(
    `the module imports ${nameOf(wanted)}, and there is no such function`,
    meant === undefined ? "docs/wasm.md has the list of all functions" : `did you mean ${meant}?`,
  );
}

function notGranted(wanted: ImportShape, { needs = [], asked = [] }: Offer, plugin: string): GuestRefusal {
  const [capability] = asked;
  return new GuestRefusal(
    `the module imports ${nameOf(wanted)}, which needs ${needs.join(" or ")}; that is not granted`,
    capability === undefined
      ? `plugin.toml does not ask for it: add required = ["${needs[0] ?? ""}"] under [capabilities]`
      : `to allow it: voxeltron plugin grant ${plugin} ${capability}`,
  );
}
