import { describe } from "@jest/globals";
import { asideContract } from "./store-asides.js";
import { conversationContract } from "./store-conversations.js";
import { deletionContract } from "./store-deletion.js";
import { fullScale, type OpenStore, type Scale } from "./store-harness.js";
import { headContract } from "./store-heads.js";
import { historyContract } from "./store-history.js";
import { indexContract } from "./store-indexes.js";
import { accessPatternContract } from "./store-patterns.js";
import { raceContract } from "./store-races.js";
import { recordContract } from "./store-records.js";
import { sizeContract } from "./store-sizes.js";
import { stopContract } from "./store-stops.js";

const parts = [
  headContract,
  historyContract,
  asideContract,
  indexContract,
  recordContract,
  deletionContract,
  accessPatternContract,
  sizeContract,
  raceContract,
  conversationContract,
  stopContract,
];

/** What every Store must do. Each implementation runs it, at the scale that it can bear. */
export function storeContract(name: string, open: OpenStore, scale: Partial<Scale> = {}): void {
  describe(`${name} keeps the contract of Store`, () => {
    for (const part of parts) part(open, { ...fullScale, ...scale });
  });
}
