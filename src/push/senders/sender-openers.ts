/** Who may have sent what is ciphered: whoever has the title; where nobody has it, whoever is reached at the address. */
import type { SystemTitle } from "../../../protocol/security/system-title.ts";
import type { CounterMemory } from "../receive/push-counters.ts";
import type { OpenerCandidate, OpenerLookup } from "../receive/push-reader.ts";
import type { PushSender, SenderDirectory } from "./sender-directory.ts";
import { SenderKeys } from "./sender-keys.ts";

export class SenderOpeners {
  readonly #directory: SenderDirectory;
  readonly #keys: SenderKeys;

  constructor(directory: SenderDirectory, memory?: CounterMemory) {
    this.#directory = directory;
    this.#keys = new SenderKeys(memory);
  }

  at(host: string): OpenerLookup {
    return { candidates: (title) => this.#candidates(title, host) };
  }

  #candidates(title: SystemTitle | undefined, host: string): OpenerCandidate[] {
    const titled = title === undefined ? [] : this.#directory.bySystemTitle(title);
    const senders = titled.length > 0 ? titled : this.#directory.byHost(host).filter((each) => mayHave(each, title));
    return senders.map((sender) => ({ sender, protection: this.#keys.protectionOf(sender) }));
  }
}

/** A meter whose title is known has no other. */
function mayHave(sender: PushSender, title: SystemTitle | undefined): boolean {
  return title === undefined || sender.systemTitle === undefined;
}
