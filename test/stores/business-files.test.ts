import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BusinessFilesError, loadBusinesses } from "../../server/stores/business-files.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const start = "businessId: B1\nname: Bakery\nlocale: en\ntimeZone: Europe/London\n";

async function write(name: string, text: string | Uint8Array): Promise<void> {
  await writeFile(join(directory, name), text);
}

/** What loading says is wrong, with the names of files as they are in the directory. */
async function refusal(): Promise<string> {
  const error = await loadBusinesses(directory).catch((cause: unknown) => cause);
  if (!(error instanceof BusinessFilesError)) throw new Error("nothing was refused", { cause: error });
  return error.message.replaceAll(`${directory}/`, "");
}

test("[B2] the business that comes with the server loads", async () => {
  const business = (await loadBusinesses("businesses")).get("B0100001");
  expect(business).toMatchObject({ locale: "ro", type: "medical", timeZone: "Europe/Bucharest", greeting: "Bună!" });
  expect(business?.locations.map((each) => each.locationId)).toEqual(["L0100001", "L0100002"]);
  expect(business?.agent).toBeUndefined();
});

test("[B2] a directory that is not there holds no businesses", async () => {
  expect(await loadBusinesses(join(directory, "none"))).toEqual(new Map());
});

test("[B2] a directory that cannot be read is an error with its cause", async () => {
  await write("file", "");
  await expect(loadBusinesses(join(directory, "file"))).rejects.toThrow("cannot read the directory of businesses");
});

test("[B2] reads each .yaml file and leaves other kinds alone", async () => {
  await write("B1.yaml", start);
  await write("B2.yaml", start.replace("B1", "B2"));
  await write("README.md", "not a business");
  await write(".hidden.yaml", "]");
  await mkdir(join(directory, "old.yaml"));
  expect([...(await loadBusinesses(directory)).keys()]).toEqual(["B1", "B2"]);
});

const parameter = "{ name: day, question: When?, type: date }";
const intent = `intents:
  - name: order
    title: Order
    phrases: [bread]
    opening: Yes.
    parameters:
      - ${parameter}
    confirmation: On {day}.
`;

describe("problems are told with file, line and column", () => {
  const cases: [name: string, text: string, problem: string][] = [
    ["an unknown key", `${start}servics: []\n`, 'B1.yaml:5:1: unknown key "servics"'],
    [
      "an unknown key below",
      `${start}locations:\n  - name: Shop\n    locationId: L1\n    adress: Main St\n`,
      'B1.yaml:8:5: locations.0: unknown key "adress"',
    ],
    [
      "a wrong type",
      `${start}services:\n  - name: Bread\n    price: 3\n`,
      "B1.yaml:7:12: services.0.price: expected string, received number",
    ],
    ["a missing key", "businessId: B1\nname: Bakery\nlocale: en\n", "B1.yaml:1:1: timeZone: expected, but not there"],
    [
      "a missing key below",
      `${start}locations:\n  - name: Shop\n`,
      "B1.yaml:6:5: locations.0.locationId: expected, but not there",
    ],
    [
      "an unknown time zone",
      start.replace("London", "Lodnon"),
      "B1.yaml:4:11: timeZone: expected the IANA name of a time zone, such as Europe/Bucharest",
    ],
    [
      "a name that comes twice",
      `${start}services:\n  - name: Bread\n  - name: Bread\n`,
      'B1.yaml:7:11: services.1.name: "Bread" is there twice',
    ],
    ["a key that comes twice", `${start}name: Again\n`, "B1.yaml:5:1: this key is there twice"],
    [
      "another id than the file",
      start.replace("B1", "B2"),
      'B1.yaml:1:13: expected businessId "B1", as the file is named, found "B2"',
    ],
    ["an unclosed quote", `${start}greeting: "Hello\n`, 'B1.yaml:6:1: not YAML: Missing closing "quote'],
    ["an alias", `${start}greeting: *hello\n`, "B1.yaml:5:11: write the value out: *hello is not taken"],
    ["an unknown tag", `${start}greeting: !magic Hello\n`, "B1.yaml:5:11: not YAML: Unresolved tag: !magic"],
    ["two documents", `${start}---\n${start}`, "B1.yaml:5:1: not YAML: Source contains multiple documents"],
    ["a tab", `${start}services:\n\t- name: Bread\n`, "B1.yaml:6:1: not YAML: Tabs are not allowed as indentation"],
    ["a bracket that stays open", `${start}services: [\n`, "B1.yaml:6:1: not YAML: Flow sequence in block collection"],
    [
      "a key below that comes twice",
      `${start}services:\n  - name: A\n    name: B\n`,
      "B1.yaml:7:5: this key is there twice",
    ],
    ["a key that is a list", `${start}? [a]\n: b\n`, "B1.yaml:5:3: expected a text as the key"],
    ["a key that is a number", `${start}1: b\n`, "B1.yaml:5:1: expected a text as the key"],
    ["a key that is nothing", `${start}~: b\n`, "B1.yaml:5:1: expected a text as the key"],
    ["a name that objects have", `${start}__proto__: 1\n`, 'B1.yaml:5:1: unknown key "__proto__"'],
    ["nothing where something is", `${start}greeting:\n`, "B1.yaml:5:10: greeting: expected string, received null"],
    ["lines as Windows ends them", `${start}x: 1\n`.replaceAll("\n", "\r\n"), 'B1.yaml:5:1: unknown key "x"'],
    [
      "an agent of an unknown kind",
      `${start}agent: { kind: parrot }\n`,
      "B1.yaml:5:16: agent.kind: Invalid discriminator value. Expected 'assistant' | 'echo' | 'http' | 'channel'",
    ],
    [
      "a place that names no parameter",
      start + intent.replace("{day}", "{dai}"),
      "B1.yaml:12:19: intents.0.confirmation: {dai} names no required parameter of this intent",
    ],
    [
      "services to choose from that are not there",
      start + intent.replace("type: date", "type: choice, options: services"),
      "B1.yaml:11:62: intents.0.parameters.0.options: there are no services to choose from",
    ],
    [
      "a parameter that comes twice",
      start + intent.replace("      - {", `      - ${parameter}\n      - {`),
      'B1.yaml:12:17: intents.0.parameters.1.name: "day" is there twice',
    ],
    ["an empty file", "", "B1.yaml:1:1: expected a list of `key: value`, such as `businessId: B1`"],
    ["a list", "- B1\n", "B1.yaml:1:1: expected a list of `key: value`, such as `businessId: B1`"],
  ];

  test.each(cases)("[B2] %s", async (_, text, problem) => {
    await write("B1.yaml", text);
    expect(await refusal()).toContain(problem);
  });

  test("[B2] bytes that are no text", async () => {
    await write("B1.yaml", Uint8Array.of(0xff, 0xfe, 0x00));
    expect(await refusal()).toBe("B1.yaml:1:1: expected text in UTF-8");
  });

  test("[B2] a file that is too big", async () => {
    await write("B1.yaml", `${start}# ${"x".repeat(1_048_576)}\n`);
    expect(await refusal()).toMatch(/^B1\.yaml:1:1: expected at most 1048576 bytes, found \d+$/);
  });

  test("[B2] as many as can be read, and no more", async () => {
    await write("B1.yaml", `${start}services: ${"[".repeat(5000)}\n`);
    expect((await refusal()).split("\n")).toHaveLength(100);
    await write("B1.yaml", `${start}services: [${"1, ".repeat(500)}]\n`);
    expect((await refusal()).split("\n")).toHaveLength(100);
  });

  test("[B2] a file that only nearly has the right name", async () => {
    await write("B1.yml", start);
    expect(await refusal()).toBe("B1.yml:1:1: the name of a business file ends in .yaml");
  });

  test("[B2] all problems of all files at once, in order", async () => {
    await write("B1.yaml", `${start}one: 1\ntwo: 2\n`);
    await write("B2.yaml", "");
    expect((await refusal()).split("\n")).toEqual([
      'B1.yaml:5:1: unknown key "one"',
      'B1.yaml:6:1: unknown key "two"',
      "B2.yaml:1:1: expected a list of `key: value`, such as `businessId: B1`",
    ]);
  });
});
