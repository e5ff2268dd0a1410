/** A value that is there at once, or later: waiting for what is there already would cost a trip through the queue. */
export type Soon<T> = T | Promise<T>;

/** Goes on with the value, at once if it is there. */
export function then<T, U>(value: Soon<T>, next: (value: T) => U): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
