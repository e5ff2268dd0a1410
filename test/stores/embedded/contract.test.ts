import { storeContract } from "../../contract/store-contract.js";
import { openEmbeddedUnderTest } from "../../support/embedded-under-test.js";

storeContract("the embedded store", openEmbeddedUnderTest);
