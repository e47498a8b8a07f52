import { expect, test } from "vitest";
import { GatewayLink } from "../../../protocol/association/gateway-link.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../../protocol/link/hdlc/server.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";
import { SessionPair } from "./pair.ts";
import { ascii } from "./server-fixture.ts";
import { LONG, octets, serve, settingsOf, VARIANTS } from "./variants.ts";

const DEVICE = { networkId: 3, physicalDeviceAddress: ascii("MET10007") };
const OTHER = { networkId: 3, physicalDeviceAddress: ascii("MET10008") };

const LINKS = {
  wrapper: () => ({
    near: new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 }),
    far: new WrapperLink({ role: "server" }),
  }),
  hdlc: () => ({
    near: new HdlcClient({ clientSap: 16, server: hdlcAddress(1, 17), responseTimeoutMs: 500 }),
    far: new HdlcServer({ logicalDevices: [1], physicalDevice: 17 }),
  }),
} as const;

test.each(VARIANTS.flatMap((variant) => (["wrapper", "hdlc"] as const).map((link) => ({ variant, link }))))(
  "gateway over $link, $variant.name: a device behind it is read",
  ({ variant, link }) => {
    const { near, far } = LINKS[link]();
    const pair = new SessionPair(
      { link: new GatewayLink(near, "client", DEVICE), settings: settingsOf(variant.settings()) },
      { link: new GatewayLink(far, "server", DEVICE), association: serve(variant.rule()).server },
    );
    expect(pair.run({ type: "open" }, "opened").type).toBe("opened");
    expect(pair.run({ type: "associate" }, "associated").type).toBe("associated");
    expect(pair.ask({ type: "get", attribute: { classId: 1, logicalName: LONG, attributeId: 2 } })).toEqual({
      type: "get",
      result: { type: "data", data: octets(3000) },
    });
    expect(pair.run({ type: "release" }, "released")).toEqual({ type: "released", answer: "rlre" });
  },
);

/** What a link makes of one APDU that came through a wrapper. */
function heard(role: "client" | "server", apdu: string): LinkEvent | undefined {
  const inner = new WrapperLink(role === "client" ? { role, clientSap: 16, serverSap: 1 } : { role });
  const link = new GatewayLink(inner, role, DEVICE);
  link.command({ type: "open" }, 0);
  const [octets, ports] = [fromHex(apdu), role === "client" ? "00010010" : "00100001"];
  link.receive(fromHex(`0001${ports}${octets.length.toString(16).padStart(4, "0")}${toHex(octets)}`), 0);
  link.takeEvent();
  return link.takeEvent();
}

// E6 or E7, network 3, eight octets of address (IEC 62056-5-3, gateway protocol).
const HEADER = "03 08 4d45543130303037";

test("gateway: the header is taken off what the device says", () => {
  const event = heard("client", `e7 ${HEADER} c401c10011 05`);
  expect(event).toMatchObject({ type: "apdu", apdu: fromHex("c401c1001105"), sourceSap: 1 });
});

test("gateway: an answer behind the header of a request is taken all the same", () => {
  expect(heard("client", `e6 ${HEADER} c401c1001105`)).toMatchObject({ type: "apdu", apdu: fromHex("c401c1001105") });
});

test("gateway: an answer without header is the gateway's own", () => {
  expect(heard("client", "d80101")).toMatchObject({ type: "apdu", apdu: fromHex("d80101") });
});

test.each([
  ["client", "another device", "e7 03 08 4d45543130303038 c401c1001105"],
  ["client", "another network", "e7 04 08 4d45543130303037 c401c1001105"],
  ["client", "a header that ends too early", "e7 03 08 4d45"],
  ["server", "an APDU without header", "c001c1"],
  ["server", "a response", `e7 ${HEADER} c4`],
] as const)("gateway: to a %s %s is noise", (role, _name, apdu) => {
  expect(heard(role, apdu)).toMatchObject({ type: "discarded", error: { fault: "peer" } });
});

test("gateway: a device that is not there does not answer", () => {
  const { near, far } = LINKS.wrapper();
  const [variant] = VARIANTS;
  if (variant === undefined) throw new Error("no variant");
  const pair = new SessionPair(
    { link: new GatewayLink(near, "client", OTHER), settings: settingsOf({ responseTimeoutMs: 1000 }) },
    { link: new GatewayLink(far, "server", DEVICE), association: serve(variant.rule()).server },
  );
  pair.run({ type: "open" }, "opened");
  expect(pair.run({ type: "associate" }, "associated")).toMatchObject({
    type: "failed",
    failure: { error: { code: "SERVICE_UNANSWERED" } },
  });
});
