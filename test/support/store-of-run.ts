/** Where the apps of this test run keep their data; each jest project says so. (jest.config.js) */
export const storeOfRun = (globalThis as { readonly BENNU_STORE?: string }).BENNU_STORE ?? "embedded";

/** How long a test waits for what must happen: on a busy machine, and with a dynalite, that is long. */
export const patienceMs = 60_000;
