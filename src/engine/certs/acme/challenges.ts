/** The answers that an authority looks for under `/.well-known/acme-challenge/`, while it does. Filled by order.ts; asked by the proxy. */

export interface Challenges {
  answer(token: string): string | undefined;
  /** Until it is disposed of. */
  offer(token: string, answer: string): Disposable;
}

export function makeChallenges(): Challenges {
  const offered = new Map<string, string>();
  return {
    answer: (token) => offered.get(token),
    offer(token, answer) {
      offered.set(token, answer);
      return { [Symbol.dispose]: () => void offered.delete(token) };
    },
  };
}
