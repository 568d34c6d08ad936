/** Runs through a streamed answer, waiting for each item to be shown, and gives its end. */
export async function consume<T, R>(
  stream: AsyncGenerator<T, R, undefined>,
  show: (item: T) => Promise<void> | void,
): Promise<R> {
  try {
    for (;;) {
      const next = await stream.next();
      if (next.done === true) return next.value;
      await show(next.value);
    }
  } finally {
    // After the end this does nothing; after an error of `show` it closes the connection.
    await stream.return(undefined as R).catch(() => {});
  }
}
