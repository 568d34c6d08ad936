/**
 * Certificates that the operator brings as files. They are looked at again and again: whoever renews them only has to write them. A pair
 * that can't be used leaves the one before it in place. Called by certificates.ts.
 */
import { statSync } from "node:fs";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { checkPair, covers, type CertificateFacts, type CertificatePair } from "./certificate-facts.ts";
import { readNamedFile } from "./named-file.ts";

export interface OwnFiles {
  /** Reads what changed; true where something else is to be served from then on. */
  look(): boolean;
  /** The one that names the domain, else one with a wildcard for it. */
  find(domain: string): OwnFile | undefined;
  /** Those that can't be used as they are. */
  problems(): readonly OwnFileProblem[];
}

export interface OwnFile {
  /** As in `[tls.files.NAME]`. */
  readonly name: string;
  readonly pair: CertificatePair;
  readonly facts: CertificateFacts;
  /** Why what lies there now is not served. */
  readonly problem: string | undefined;
}

export interface OwnFileProblem {
  readonly name: string;
  readonly problem: string;
}

export type FilePlaces = Readonly<Record<string, { readonly cert: string; readonly key: string }>>;

export function makeOwnFiles(places: () => FilePlaces, log: Log): OwnFiles {
  const known = new Map<string, Known>();

  /** True where another pair is in its place. */
  function lookAt(name: string, { cert, key }: FilePlaces[string]): boolean {
    const seen = `${fingerprint(cert)} ${fingerprint(key)}`;
    const before = known.get(name);
    if (before?.seen === seen) return false;
    try {
      const pair = { cert: readNamedFile("cert", cert), key: readNamedFile("key", key) };
      const facts = checkPair(pair);
      known.set(name, { seen, loaded: { pair, facts }, problem: undefined });
      return before?.loaded?.pair.cert !== pair.cert || before.loaded.pair.key !== pair.key;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== before?.problem)
        log.error("a certificate's files can't be used", {
          name,
          problem,
          still: before?.loaded !== undefined,
        });
      known.set(name, { seen, loaded: before?.loaded, problem });
      return false;
    }
  }

  return {
    look() {
      const wanted = Object.entries(places());
      let changed = false;
      for (const name of known.keys())
        if (!wanted.some(([other]) => other === name)) changed = known.delete(name) || changed;
      for (const [name, place] of wanted) changed = lookAt(name, place) || changed;
      return changed;
    },
    find(domain) {
      const fitting = [...known].flatMap(([name, { loaded, problem }]) =>
        loaded !== undefined && covers(loaded.facts.names, domain) ? [{ name, ...loaded, problem }] : [],
      );
      return fitting.find(({ facts }) => facts.names.includes(domain)) ?? fitting[0];
    },
    problems: () =>
      [...known].flatMap(([name, { problem }]) => (problem === undefined ? [] : [{ name, problem }])),
  };
}

// --- internal ---

interface Known {
  /** Of both files, when they were read. */
  readonly seen: string;
  readonly loaded: Pick<OwnFile, "pair" | "facts"> | undefined;
  readonly problem: string | undefined;
}

/** Another text where the file, or what a link leads to, is another, was written, or may be read by others. */
function fingerprint(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined
    ? "none"
    : `${path} ${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}
