/** Where the apps of this test run keep their data; each jest project says so. (jest.config.js) */
export const storeOfRun = (globalThis as { readonly BENNU_STORE?: string }).BENNU_STORE ?? "embedded";

/** How long a test waits for what must happen. A dynalite takes some hundred requests a second, and no more. */
export const patienceMs = storeOfRun === "dynamodb" ? 60_000 : 30_000;
