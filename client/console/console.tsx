import { render } from "preact";
import { part } from "./part.js";
import { App } from "./app.js";
import { labelsFor } from "./labels.js";

const labels = labelsFor(navigator.language);
document.documentElement.lang = labels.lang;
document.title = labels.title;
render(<App labels={labels} />, part("console"));
