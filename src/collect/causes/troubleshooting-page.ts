/** docs/troubleshooting.md, made from the closed list of causes. */
import { FAILURE_CAUSES } from "./failure-cause.ts";

const INTRODUCTION = `# Troubleshooting

Made from the list of causes by \`npm run docs\`.

## A meter is not read

\`dlms-gateway read METER clock\` reads it now and names the broken step; the pages, \`dlms.read_attempts\` and the log (event
\`meterFailed\`) use the same words. Each cause has its evidence, which is what was seen, and a next step:
`;

const REST = `
## The gateway does not start

| what \`systemctl status dlms-gateway\` says | what it means |
|---|---|
| \`ConditionPathExists=… was not met\` | there is no \`/etc/dlms-gateway/gateway.yaml\` yet: \`dlms-gateway config sample\` |
| \`status=3\` | the configuration can't be used: the journal has file, line and hint; \`dlms-gateway config check FILE\` says the same. It is not started again until you order it |
| \`Status: "waits for the database: …"\` | it can't be reached; the gateway tries again until it can. Meters are read and pushes taken meanwhile only where it has been started with this database before |
| \`Result: watchdog\` | the event loop hung, or a part did nothing for a minute (event \`partStalled\`); it was started anew |
| \`226/NAMESPACE\`, \`243/CREDENTIALS\` | a directory or a credential that the unit names can't be had; see \`systemctl cat dlms-gateway\` |

## Nothing comes in, but no meter fails

| look at | for |
|---|---|
| \`dlms-gateway gateways\` | another gateway holds the meters, or one that is gone still does |
| event \`gatewayClockWrong\` | the machine's clock is before times that are known: polling waits for it |
| event \`spoolBegun\` | the database takes nothing: rows wait in the spool, see [spool.md](spool.md) |
| \`dlms-gateway gaps\` | what is missing, why, and whether it will still come |
| \`dlms-gateway push unknown\` | pushes come, but of senders that are no meters of the configuration |
| event \`socketUntaken\` | systemd holds a port for which \`push.listen\` has no entry with the same address |

\`journalctl -u dlms-gateway -o cat | grep '"level":[45]0'\` shows warnings and errors; the names of events are stable.
`;

export function troubleshootingPage(): string {
  const rows = Object.entries(FAILURE_CAUSES).map(
    ([cause, { says, nextStep }]) => `| ${cause} | ${says} | ${nextStep} |`,
  );
  return [INTRODUCTION, "| cause | what it means | next step |", "|---|---|---|", ...rows, REST].join("\n");
}
