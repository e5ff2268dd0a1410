import { jest } from "@jest/globals";

// dynalite takes some hundred requests a second, and a test may make thousands.
jest.setTimeout(120_000);
