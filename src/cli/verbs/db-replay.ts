import { databaseVerb } from "./db-coverage.ts";
import { PROFILE_WORDS } from "./profile-words.ts";
import { CONFIG_FILE, type DeclareVerb, SOCKET } from "./verb.ts";

interface ReplayOptions {
  readonly meter?: string[];
  readonly since?: string;
  readonly profile?: string;
  readonly socket: string;
  readonly config: string;
  readonly json?: true;
}

/** `db replay`, under the verb `db`, whoever declares it. */
export const declareDbReplay: DeclareVerb = (program, { output, finish }) => {
  databaseVerb(program)
    .command("replay")
    .description("decode kept octets again, after a fix; what differs becomes a revision that says why")
    .option("--meter <names...>", "only these meters")
    .option("--since <time>", "only what was received since then, as 2026-01-31T00:00:00Z")
    .option("--profile <word>", "instant, block, daily or billing")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("-c, --config <file>", "configuration file, for its database where no daemon answers", CONFIG_FILE)
    .option("--json", "print JSON, a value a line")
    .action(async ({ meter, since, profile, ...place }: ReplayOptions) => {
      const sinceMs = since === undefined ? undefined : Date.parse(since);
      const kind = profile === undefined ? undefined : PROFILE_WORDS.get(profile);
      if (Number.isNaN(sinceMs) || (profile !== undefined && kind === undefined)) {
        output.err("db replay: a time is as 2026-01-31T00:00:00Z; a profile is instant, block, daily or billing");
        finish("usage");
        return;
      }
      const { maintenanceCommand } = await import("../commands/maintenance-command.ts");
      const order = {
        task: "replay" as const,
        ...(meter && { meters: meter }),
        ...(sinceMs !== undefined && { sinceMs }),
        ...(kind && { profile: kind }),
      };
      finish(await maintenanceCommand(order, place, output));
    });
};
