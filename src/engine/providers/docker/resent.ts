/**
 * Some engines send the first messages of a file again to who follows a log while its files change places. A stream's stamps grow,
 * so a message from before the newest one was sent already, unless nobody has seen its stamp: then the clock was put back.
 * Pure. Called by log-reader.ts, one for each stream.
 */
export interface ResentMessages {
  /** Whether the message was sent before. It is remembered if not. */
  has(stamp: string, body: Buffer): boolean;
}

export function makeResentMessages(): ResentMessages {
  const recent = new Set<string>();
  /** The same in a ring, for a set finds its oldest only behind the places of all that were taken out before. */
  const order: string[] = [];
  let oldest = 0;
  let newest = "";
  let newestBody: Buffer = Buffer.alloc(0);
  let isAgain = false;

  function wasSent(stamp: string, body: Buffer): boolean {
    if (stamp > newest) return false;
    if (stamp < newest) return recent.has(stamp);
    // Clocks that are coarse give one stamp to several; none that counts nanoseconds gives it to two that are equal.
    // The parts of one long line have one stamp, and may be equal.
    return isAgain || (!stamp.endsWith("000Z") && body.at(-1) === NEWLINE && body.equals(newestBody));
  }

  function remember(stamp: string): void {
    if (recent.has(stamp)) return;
    recent.add(stamp);
    recent.delete(order[oldest] ?? "");
    order[oldest] = stamp;
    oldest = (oldest + 1) % REMEMBERED;
  }

  return {
    has(stamp, body) {
      isAgain = wasSent(stamp, body);
      if (isAgain) return true;
      newest = stamp;
      newestBody = body;
      remember(stamp);
      return false;
    },
  };
}

// --- internal ---

const NEWLINE = 0x0a;

/** What is sent again is what came between two looks of the engine at its files: hundreds, seldom thousands. */
const REMEMBERED = 20_000;
