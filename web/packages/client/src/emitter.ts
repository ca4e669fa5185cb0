/** Typed events, without the ceremony of `CustomEvent`. */

export type Listener<Value> = (value: Value) => void;

export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /**
   * Call `listener` at each event `name`, until the function that is returned is called or `signal` is aborted.
   * A listener that throws does not keep the others from being called.
   */
  on<Name extends keyof Events>(
    name: Name,
    listener: Listener<Events[Name]>,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): () => void {
    const off = () => this.off(name, listener);
    if (signal?.aborted) return off;
    let listeners = this.#listeners.get(name);
    if (!listeners) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
    signal?.addEventListener("abort", off, { once: true });
    return off;
  }

  /** As `on`, for the next event only. */
  once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const off = this.on(name, (value) => {
      off();
      listener(value);
    });
    return off;
  }

  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    this.#listeners.get(name)?.delete(listener);
  }

  protected emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as Listener<Events[Name]>)(value);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
