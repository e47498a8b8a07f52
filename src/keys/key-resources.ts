/** Keys of meters that are changed: ordered here, carried out by the gateway that works the meter. */
import { z } from "zod";
import { certificateAnswer, keyChange } from "../api/answers/keys.ts";
import type { Caller } from "../api/callers.ts";
import { type Api, callerOf } from "../api/http-api.ts";
import { CHANGED_KEYS, KEY_CHANGE_WAYS, type KeyChange } from "./key-change.ts";
import type { CertificateAnswer, CertificateOrder } from "./meter-certificates.ts";

/** What is to be done to the keys of a meter; `settle` finds out how a change that was cut short has ended. */
export const keyOrderSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("change"), role: z.enum(CHANGED_KEYS), way: z.enum(KEY_CHANGE_WAYS) }),
  z.strictObject({ type: z.literal("settle") }),
]);
export type MeterKeyOrder = z.output<typeof keyOrderSchema>;

const hexadecimal = z.string().regex(/^(?:[0-9a-fA-F]{2}){1,32}$/, "a serial number is hexadecimal");

export const certificateOrderSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("list") }),
  z.strictObject({ type: z.literal("export"), serialNumber: hexadecimal }),
  z.strictObject({
    type: z.literal("request"),
    purpose: z.enum(["digital-signature", "key-agreement", "tls"]),
    newKeyPair: z.boolean(),
  }),
  z.strictObject({ type: z.literal("import"), pem: z.string().max(16_384) }),
]);

export interface KeyOrders {
  /** The name of a meter that the caller may touch. Throws ApiError. */
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** Throws ReadRefusedError. */
  readonly carryOut: (meter: string, order: MeterKeyOrder) => Promise<readonly KeyChange[]>;
  /** Throws ReadRefusedError. */
  readonly certificates: (meter: string, order: CertificateOrder) => Promise<CertificateAnswer>;
}

const meterParams = z.object({ meter: z.string().min(1).max(128).describe("Name or number.") });
const reason = z.string().min(1).max(1000);

export function keyResources(api: Api, orders: KeyOrders): void {
  changes(api, orders);
  certificates(api, orders);
}

function certificates(api: Api, { nameOf, certificates: work }: KeyOrders): void {
  api.post(
    "/v1/meters/:meter/certificates",
    {
      config: {
        needs: "admin",
        scoped: true,
        change: { event: "certificatesOrdered", message: "somebody had a meter's certificates listed or changed" },
      },
      schema: {
        tags: ["keys"],
        summary: "List, export, ask for or import certificates of a meter",
        params: meterParams,
        body: z.strictObject({ order: certificateOrderSchema, why: reason }),
        response: { 200: certificateAnswer },
      },
    },
    async (request) => {
      const { certificates: kept, pem = null } = await work(
        nameOf(request.params.meter, callerOf(request)),
        request.body.order,
      );
      return { certificates: [...kept], pem };
    },
  );
}

function changes(api: Api, { nameOf, carryOut }: KeyOrders): void {
  api.post(
    "/v1/meters/:meter/keys",
    {
      config: {
        needs: "admin",
        scoped: true,
        change: { event: "keyOrdered", message: "somebody had a meter's key changed" },
      },
      schema: {
        tags: ["keys"],
        summary: "Give a meter a new key, or find out how a change that was cut short has ended",
        params: meterParams,
        body: z.strictObject({ order: keyOrderSchema, why: reason }),
        response: { 200: z.object({ items: z.array(keyChange) }) },
      },
    },
    async (request) => {
      const name = nameOf(request.params.meter, callerOf(request));
      const changes = await carryOut(name, request.body.order);
      return {
        items: changes.map(({ role, version = null, state, evidence = null }) => ({ role, version, state, evidence })),
      };
    },
  );
}
