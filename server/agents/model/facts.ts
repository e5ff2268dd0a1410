import type { Business, Location, Service } from "../../messaging/business.js";
import { describeWeek } from "../assistant/hours.js";
import { textsOf } from "../assistant/texts.js";

/** What any answer may need to know of a business, a line each, the most needed first. */
export function factsOf(business: Business): readonly string[] {
  const { name, type, locations, openingHours, services, locale } = business;
  return [
    `Name: ${name}`,
    `Kind of business: ${type}`,
    ...(openingHours === undefined ? [] : [`Opening hours: ${describeWeek(business, textsOf(locale).closed)}`]),
    ...locations.map(describeLocation),
    ...services.map(describeService),
  ];
}

function describeLocation({ name, address, phone }: Location): string {
  return `Location: ${joined([name, address, phone])}`;
}

function describeService({ name, price, durationMinutes, description }: Service): string {
  const minutes = durationMinutes === undefined ? undefined : `${durationMinutes} minutes`;
  return `Service: ${joined([name, price, minutes, description])}`;
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join("; ");
}
