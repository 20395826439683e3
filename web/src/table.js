// A row of a table: one field for each column of the schema, with what its rules allow.

import { number } from "./answer.js";

/** Stands for a text that is none of the categories, as the schema's rule lets it. */
const OTHER = "(other)";

/** The form; `changed(values)` hears of every change: one text for each column, or null while one is wanting. */
export class TableForm {
  #form = document.getElementById("table-input");
  #fields = document.getElementById("fields");
  #changed;

  constructor({ changed, enter }) {
    this.#changed = changed;
    this.#form.addEventListener("input", () => this.#tell());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      enter();
    });
    document.getElementById("table-clear").onclick = () => this.fill(this.#controls().map(() => ""));
  }

  /** Lays out the fields of a schema. */
  show(schema) {
    this.#fields.replaceChildren(...schema.columns.map(field));
    this.#tell();
  }

  /** Takes over the values of a row. */
  fill(values) {
    this.#controls().forEach((control, at) => { control.value = values[at]; });
    this.#tell();
  }

  /** Says what is wrong with the values; an empty text takes it away. */
  complain(text) {
    document.getElementById("table-problem").textContent = text;
  }

  #controls() {
    return [...this.#fields.querySelectorAll("input, select")];
  }

  #tell() {
    this.complain("");
    const controls = this.#controls();
    const values = controls.map((control) => control.value);
    // A row of which nothing is known is no row yet, though every value may be left open.
    const whole = controls.every((control) => control.checkValidity()) && values.some((value) => value !== "");
    this.#changed(whole ? values : null);
  }
}

function field(column, at) {
  const id = `field-${at}`;
  const box = document.createElement("div");
  box.className = "field";
  const label = box.appendChild(document.createElement("label"));
  label.htmlFor = id;
  label.textContent = column.name;
  const [control, hint] = controlOf(column);
  control.id = id;
  control.required = !mayBeMissing(column);
  box.append(control);
  const notes = [hint, ...(mayBeMissing(column) ? ["may be left open"] : [])].filter(Boolean);
  if (notes.length > 0) {
    const note = box.appendChild(document.createElement("span"));
    note.id = `${id}-note`;
    note.className = "note";
    note.textContent = notes.join("; ");
    control.setAttribute("aria-describedby", note.id);
  }
  return box;
}

/** Rules that leave a row out, or refuse it, do not let its owner leave a value open. */
const mayBeMissing = ({ missing }) => missing === "median" || missing === "category";

/** The control of a column, and what its reader should know. */
function controlOf({ kind, unknown, outside, missing }) {
  const [[name, about]] = Object.entries(kind);
  if (name === "category" || name === "ordinal") {
    const others = unknown === "other" || unknown === "ignore";
    return [select(about.values, others, mayBeMissing({ missing })), null];
  }
  const input = document.createElement("input");
  if (name === "numeric") {
    Object.assign(input, { type: "number", step: "any" });
    const { low, high } = about.scale;
    if (outside !== "clamp") Object.assign(input, { min: String(low), max: String(high) });
    const beyond = outside === "clamp" ? "; the nearer end stands for what lies beyond" : "";
    return [input, `${rounded(low)} to ${rounded(high)}${beyond}`];
  }
  if (name === "date") {
    // The browser's own calendar gives ISO 8601; other forms are typed.
    input.type = about.format ? "text" : "date";
    return [input, about.format ? `a date as ${about.format}` : null];
  }
  input.type = "text";
  return [input, "words"];
}

function select(values, others, open) {
  const element = document.createElement("select");
  const add = (value, text) => {
    const option = element.appendChild(document.createElement("option"));
    option.value = value;
    option.textContent = text;
  };
  add("", open ? "–" : "choose");
  for (const value of values) add(value, value);
  if (others && !values.includes(OTHER)) add(OTHER, "another");
  return element;
}

const rounded = (value) => number(Number(value.toPrecision(6)));
