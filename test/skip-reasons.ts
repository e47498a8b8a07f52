/** Says at the end of a run what was skipped and why: a test that did not run is not a test that passed. */
import type { Reporter, TestModule } from "vitest/node";

export class SkipReasons implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const result = test.result();
        const note = result.state === "skipped" ? result.note : undefined;
        // Without one, somebody chose to run some tests only.
        if (note === undefined) continue;
        const reason = `${test.project.name} ${module.relativeModuleId}: ${note}`;
        skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
      }
    }
    for (const [reason, count] of skipped) process.stdout.write(`skipped ${count} × ${reason}\n`);
  }
}
