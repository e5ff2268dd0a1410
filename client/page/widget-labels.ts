const english = {
  title: "Chat",
  close: "Close",
  loading: "One moment…",
  offline: "No connection. Trying again…",
  unread: (count: number) => (count === 1 ? "1 new message" : `${count} new messages`),
};

type WidgetLabels = typeof english;

const romanian: WidgetLabels = {
  title: "Chat",
  close: "Închide",
  loading: "O clipă…",
  offline: "Fără conexiune. Încercăm din nou…",
  unread: (count) => (count === 1 ? "1 mesaj nou" : `${count} mesaje noi`),
};

/** @param language as of `navigator.language` */
export function widgetLabelsFor(language: string): WidgetLabels {
  return language.toLowerCase().startsWith("ro") ? romanian : english;
}
