/** Spans of reads for OpenTelemetry. Nothing is loaded and nothing is done until a configuration names a collector. */
import type { Attributes, Span, SpanStatusCode, Tracer } from "@opentelemetry/api";
import { messageOf } from "./message-of.ts";

export interface TracingOptions {
  /** Where traces are taken by OTLP over HTTP, as http://127.0.0.1:4318/v1/traces. */
  readonly endpoint: string;
  /** The part of reads that is traced, from 0 to 1. */
  readonly share: number;
  readonly version: string;
}

interface Tracing {
  readonly tracer: Tracer;
  readonly failed: SpanStatusCode;
}

let tracing: Tracing | undefined;

/** Does the work within a span, which is of the span in which the caller is. What the work throws is the span's status. */
export function inSpan<Result>(
  name: string,
  attributes: Attributes,
  work: (span?: Span) => Promise<Result>,
): Promise<Result> {
  if (tracing === undefined) return work();
  return tracing.tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      failSpan(span, messageOf(error));
      throw error;
    } finally {
      span.end();
    }
  });
}

export function failSpan(span: Span | undefined, message: string): void {
  if (tracing !== undefined) span?.setStatus({ code: tracing.failed, message });
}

/** Traces until it is disposed of, which sends what is left. */
export async function startTracing({ endpoint, share, version }: TracingOptions): Promise<AsyncDisposable> {
  const [{ context, SpanStatusCode: status, trace }, { AsyncLocalStorageContextManager }, { OTLPTraceExporter }, sdk] =
    await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/context-async-hooks"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/sdk-trace"),
    ]);
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const manager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(manager);
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ "service.name": "dlms-gateway", "service.version": version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: endpoint }) })],
  });
  trace.setGlobalTracerProvider(provider);
  tracing = { tracer: provider.getTracer("dlms-gateway", version), failed: status.ERROR };
  return {
    [Symbol.asyncDispose]: async () => {
      tracing = undefined;
      await provider.shutdown().catch(() => undefined);
      context.disable();
      trace.disable();
    },
  };
}
