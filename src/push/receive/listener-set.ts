import { isDeepStrictEqual } from "node:util";

interface Opened<Place, Listener> {
  readonly place: Place;
  readonly listener: Listener;
}

export interface ListenerSetOptions<Place, Listener> {
  /** Rejects where the place can't be had. */
  readonly open: (place: Place) => Promise<Listener>;
  /** Takes nothing new there; what runs there may go on. Ends when another one can have the place. */
  readonly close: (listener: Listener) => Promise<void>;
}

/** Listeners at the places that a list of the configuration names, which a reload may change. */
export class ListenerSet<Place, Listener> {
  readonly #options: ListenerSetOptions<Place, Listener>;
  #opened: readonly Opened<Place, Listener>[] = [];

  constructor(options: ListenerSetOptions<Place, Listener>) {
    this.#options = options;
  }

  /** In the order of the list. */
  get all(): Listener[] {
    return this.#opened.map(({ listener }) => listener);
  }

  /** Listens at these places and no others; rejects, with the places of before, when one of them can't be had. */
  async take(places: readonly Place[]): Promise<void> {
    const before = this.#opened;
    try {
      await this.#change(places);
    } catch (error) {
      await this.#change(before.map(({ place }) => place));
      throw error;
    }
  }

  /** What stays is not touched; what goes is closed first, for it may keep another one from its place. */
  async #change(places: readonly Place[]): Promise<void> {
    const left = [...this.#opened];
    const stays = places.map((place) => {
      const at = left.findIndex((each) => isDeepStrictEqual(each.place, place));
      return at < 0 ? undefined : left.splice(at, 1)[0];
    });
    this.#opened = stays.filter((each) => each !== undefined);
    await Promise.all(left.map(({ listener }) => this.#options.close(listener)));
    const opened: Opened<Place, Listener>[] = [];
    for (const [at, place] of places.entries()) {
      const each = stays[at] ?? { place, listener: await this.#options.open(place) };
      opened.push(each);
      this.#opened = [...opened, ...stays.slice(at + 1).filter((stay) => stay !== undefined)];
    }
  }
}
