/** Where a queue's batches go while the database does not take them. */
export interface QueueSpool<Batch> {
  /** Whether batches have to go behind others that are spooled already. */
  readonly engaged: boolean;
  /** Whether batches have to wait a moment: the spool is nearly empty, and the database comes next. */
  readonly holding: boolean;
  /** How long a batch may wait for the database. */
  readonly patienceMs: number;
  /** Asks for batches to be spooled from now on; all queues are told by `divert`. */
  engage(reason: string): void;
  /** Resolves when the batch is durable in the spool. Rejects with SpoolError. */
  append(batch: Batch): Promise<void>;
  /** Resolves soon after the spool has room for one more batch of this one's importance, or it `isGivenUp`. */
  room(batch: Batch, isGivenUp: () => boolean): Promise<void>;
}
