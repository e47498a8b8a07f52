/** The Security setup (class 64) of the association in use: found in the meter, its methods invoked. */
import type { Data } from "../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { objectListFromData } from "../../protocol/cosem/object-list.ts";
import { octetsOf, SECURITY_SETUP_CLASS, type SecuritySetupVersion } from "../../protocol/security/security-setup.ts";
import { SecuritySetupClient, type SetupOrder } from "../../protocol/security/security-setup-client.ts";
import type { MeterConnection } from "../collect/session/meter-connection.ts";

const ASSOCIATION = { classId: 15, logicalName: logicalNameToOctets("0.0.40.0.0.255") };
const SETUP_REFERENCE = 9;
/** Where an association does not say which setup is its own. */
const USUAL_SETUP = logicalNameToOctets("0.0.43.0.0.255");

export type SetupConnection = Pick<MeterConnection, "get" | "action" | "readObjectList">;

/** The meter answered that it does not do what was ordered: an answer, not a failure of the session. */
export class SetupRefusedError extends Error {
  override readonly name = "SetupRefusedError";
  readonly result: string;

  constructor(result: string) {
    super(`the meter refuses: ${result}`);
    this.result = result;
  }
}

export class MeterSecuritySetup {
  readonly client: SecuritySetupClient;
  readonly #connection: SetupConnection;
  readonly #logicalName: Uint8Array;

  /** Rejects with what the session throws. */
  static async find(connection: SetupConnection): Promise<MeterSecuritySetup> {
    const reference = await connection.get({ attribute: { ...ASSOCIATION, attributeId: SETUP_REFERENCE } });
    const named =
      reference.type === "data" && reference.data.type === "octet-string" ? reference.data.value : undefined;
    const logicalName = named?.length === USUAL_SETUP.length ? named : USUAL_SETUP;
    return new MeterSecuritySetup(connection, logicalName, await versionOf(connection, logicalName));
  }

  private constructor(connection: SetupConnection, logicalName: Uint8Array, version: SecuritySetupVersion) {
    this.client = new SecuritySetupClient({ logicalName, version });
    this.#connection = connection;
    this.#logicalName = logicalName;
  }

  /** What a method gives back. Rejects with SetupRefusedError, and with what the session throws. */
  async invoke({ method, parameters }: SetupOrder): Promise<Data | undefined> {
    const { result, returnParameters } = await this.#connection.action(method, parameters);
    if (result !== "success") throw new SetupRefusedError(result);
    if (returnParameters?.type === "data-access-result") throw new SetupRefusedError(returnParameters.dataAccessResult);
    return returnParameters?.data;
  }

  /** Rejects with SetupRefusedError, and with what the session throws. */
  async read(attributeId: number): Promise<Data> {
    const attribute = { classId: SECURITY_SETUP_CLASS, logicalName: this.#logicalName, attributeId };
    const result = await this.#connection.get({ attribute });
    if (result.type !== "data") throw new SetupRefusedError(result.dataAccessResult);
    return result.data;
  }

  /** The meter's own title, as its setup has it. */
  async serverSystemTitle(): Promise<Uint8Array> {
    return octetsOf(await this.read(SERVER_TITLE));
  }
}

const SERVER_TITLE = 5;

/** By the object list; version 1, which has all methods, where the meter does not show it. */
async function versionOf(connection: SetupConnection, logicalName: Uint8Array): Promise<SecuritySetupVersion> {
  const list = await connection.readObjectList();
  if (list.type !== "data") return 1;
  const found = objectListFromData(list.data).find(
    (each) =>
      each.classId === SECURITY_SETUP_CLASS &&
      logicalNameToOctets(each.logicalName).every((octet, at) => octet === logicalName[at]),
  );
  return found?.version === 0 ? 0 : 1;
}
