/**
 * Image transfer (class 18): blocks are counted, the whole is verified by its length, and an image that is activated
 * becomes the one that runs. Blocks may come in any order and more than once, and a transfer can be taken up again.
 */
import type { Data } from "../../../protocol/axdr/data.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import type { ObjectDescription } from "../description.ts";
import type { MeterModel } from "../meter-model.ts";
import type { VirtualMethod } from "./described-object.ts";
import { presentNumber, presentValue } from "./present-value.ts";
import { type ObjectRequest, outcome } from "./virtual-object.ts";

const BLOCK_SIZE = 2;
const BLOCKS = 3;
const FIRST_MISSING = 4;
const ENABLED = 5;
const STATUS = 6;
const TO_ACTIVATE = 7;
const INITIATED = 1;
const VERIFIED = 3;
const ACTIVATED = 6;
const USUAL_BLOCK_SIZE = 128;
const BITS_AN_OCTET = 8;

interface Image {
  readonly identification: Data;
  readonly size: number;
  readonly blockCount: number;
  readonly blockSize: number;
}

/** The four methods of one object share what has come of an image. */
export class ImageTransfer {
  readonly #model: MeterModel;
  readonly #object: ObjectDescription;
  #image: Image | undefined;
  #received = new Uint8Array(0);

  constructor(model: MeterModel, object: ObjectDescription) {
    this.#model = model;
    this.#object = object;
  }

  methods(): Readonly<Record<number, VirtualMethod>> {
    return {
      1: (parameters, request) => this.#initiate(parameters, request),
      2: (parameters) => this.#takeBlock(parameters),
      3: () => this.#verify(),
      4: () => this.#activate(),
    };
  }

  #initiate(parameters: Data | undefined, { moment }: ObjectRequest) {
    const at = { model: this.#model, moment };
    const enabled = presentValue(this.#object, ENABLED, at);
    if (enabled?.type === "boolean" && !enabled.value) return outcome("read-write-denied");
    const [identification, sizeData] = parameters?.type === "structure" ? parameters.value : [];
    const size = sizeData && integerOf(sizeData);
    if (identification?.type !== "octet-string" || size === undefined || size < 1) return outcome("type-unmatched");
    const blockSize = presentNumber(this.#object, BLOCK_SIZE, at) || USUAL_BLOCK_SIZE;
    const blockCount = Math.ceil(size / blockSize);
    if (blockCount > LIMITS.elementCount) return outcome("scope-of-access-violated");
    this.#image = { identification: structuredClone(identification), size, blockCount, blockSize };
    this.#received = new Uint8Array(blockCount);
    this.#write(BLOCK_SIZE, { type: "double-long-unsigned", value: blockSize });
    this.#tell(INITIATED);
    return outcome("success");
  }

  #takeBlock(parameters: Data | undefined) {
    const [numberData, block] = parameters?.type === "structure" ? parameters.value : [];
    const number = numberData && integerOf(numberData);
    if (number === undefined || block?.type !== "octet-string") return outcome("type-unmatched");
    const image = this.#image;
    if (image === undefined || number >= image.blockCount || number < 0) return outcome("object-unavailable");
    const last = number === image.blockCount - 1;
    const wanted = last ? image.size - number * image.blockSize : image.blockSize;
    // Some head ends fill the last block up.
    const fits = block.value.length === wanted || (last && block.value.length === image.blockSize);
    if (!fits) return outcome("type-unmatched");
    this.#received[number] = 1;
    this.#tell(INITIATED);
    return outcome("success");
  }

  #verify() {
    if (this.#image === undefined) return outcome("object-unavailable");
    if (this.#received.includes(0)) return outcome("other-reason");
    const { identification, size } = this.#image;
    const signature: Data = { type: "octet-string", value: new Uint8Array(0) };
    const info: Data[] = [{ type: "double-long-unsigned", value: size }, identification, signature];
    this.#write(TO_ACTIVATE, { type: "array", value: [{ type: "structure", value: info }] });
    this.#tell(VERIFIED);
    return outcome("success");
  }

  #activate() {
    const { logicalName } = this.#object;
    const status = this.#model.state.written(logicalName, STATUS);
    if (status === undefined || integerOf(status) !== VERIFIED) return outcome("other-reason");
    this.#tell(ACTIVATED);
    this.#image = undefined;
    return outcome("success");
  }

  /** Status, and which blocks are there: the first bit is that of block 0. */
  #tell(status: number): void {
    const bits = new Uint8Array(Math.ceil(this.#received.length / BITS_AN_OCTET));
    for (const [block, there] of this.#received.entries()) {
      const at = Math.floor(block / BITS_AN_OCTET);
      if (there === 1) bits[at] = (bits[at] ?? 0) | (0x80 >> (block % BITS_AN_OCTET));
    }
    const missing = this.#received.indexOf(0);
    this.#write(BLOCKS, { type: "bit-string", bitCount: this.#received.length, value: bits });
    this.#write(FIRST_MISSING, {
      type: "double-long-unsigned",
      value: missing < 0 ? this.#received.length : missing,
    });
    this.#write(STATUS, { type: "enum", value: status });
  }

  #write(attributeId: number, value: Data): void {
    this.#model.state.write(this.#object.logicalName, attributeId, value);
  }
}
