/**
 * What the engine tells while it pulls, for the person who waits: pure. Says a thing only when it changed.
 * A failure is one of these events, too: the stream itself ends well. Called by pull.ts.
 */
import { printable } from "../../../base/text.ts";

export interface PullEvent {
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export interface PullNote {
  readonly text: string;
  readonly percent: number | undefined;
}

/** Takes each event in order; gives a note when there is something new to say. */
export function makePullProgress(image: string): (event: PullEvent) => PullNote | undefined {
  const layers = new Map<string, Layer>();
  let last = "";
  return (event) => {
    const { id, status = "" } = event;
    if (id !== undefined && LAYER_STATES.test(status)) layers.set(id, nextLayer(layers.get(id), event));
    const note = summary(image, [...layers.values()]);
    const key = `${note.text} ${note.percent}`;
    if (layers.size === 0 || key === last) return undefined;
    last = key;
    return note;
  };
}

// --- internal ---

interface Layer {
  readonly current: number;
  readonly total: number;
  readonly done: boolean;
}

const LAYER_STATES =
  /^(Pulling fs layer|Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pull complete|Already exists)/;

function nextLayer(layer: Layer | undefined, { status = "", progressDetail }: PullEvent): Layer {
  const total = progressDetail?.total ?? layer?.total ?? 0;
  const done = status === "Pull complete" || status === "Already exists";
  const loaded = done || status === "Download complete" || status === "Extracting";
  const current = status === "Downloading" ? (progressDetail?.current ?? 0) : (layer?.current ?? 0);
  return { total, done, current: loaded ? total : current };
}

function summary(image: string, layers: readonly Layer[]): PullNote {
  const done = layers.filter((layer) => layer.done).length;
  const total = layers.reduce((sum, layer) => sum + layer.total, 0);
  const current = layers.reduce((sum, layer) => sum + Math.min(layer.current, layer.total), 0);
  return {
    text: printable(`pulling ${image}: ${done} of ${layers.length} layers`),
    percent: total === 0 ? undefined : Math.floor((100 * current) / total),
  };
}
