// What the outputs give away of the attribute that must not show: what the audit found, and what its certificate proves.

import { percent } from "./answer.js";

/** Items of one subject that are shown besides one. */
const TOGETHER = 20;
const SVG = "http://www.w3.org/2000/svg";

const at = (id) => document.getElementById(id);
/** A number stays with its sign. */
const share = (value) => percent(value / 100).replace(" ", "\u00a0");
/** A bound is never rounded down. */
const above = (bound) => share(Math.ceil(10 * bound) / 10);

/** Shows the signed audit of a model beside its certificate. */
export function showLeak({ audit, page }) {
  at("leak").hidden = !audit && !page;
  const attribute = audit?.attribute ?? page?.collateral.name;
  at("leak-title").textContent = `What the outputs give away of the ${attribute}`;
  if (!audit) {
    at("audit-text").textContent =
      `How much of the ${attribute} these outputs give away is for an audit to say; this predictor keeps no signed one.`;
    at("proved-text").textContent = "";
    at("bounds").replaceChildren();
    return;
  }
  at("audit-text").textContent = foundText(audit);
  at("proved-text").textContent = provedText(audit, attribute);
  const { certificate } = audit;
  const found = audit.strongest_pooled ?? audit.strongest;
  const vote = audit.vote?.find(({ k }) => k === TOGETHER);
  const bound = certificate?.votes.find(({ k }) => k === TOGETHER)?.bound;
  at("bounds").replaceChildren(
    ...entry("One item", found, certificate?.pooled.bound),
    ...(vote || bound !== undefined ? entry(`${TOGETHER} items of one subject`, vote, bound, found.chance) : []),
  );
}

function foundText(audit) {
  const { strongest, vote } = audit;
  const found = audit.strongest_pooled ?? strongest;
  const figure = ({ accuracy, low, high }) => `${share(accuracy)} of the time (${share(low)} to ${share(high)})`;
  let text = `Found, by the signed audit: the strongest attacker that was tried (${found.family}) identifies the ` +
    `${audit.attribute} of one item ${figure(found)}, where guessing gives ${share(found.chance)}.`;
  if (strongest.class && found !== strongest) text += ` Of items of class ${strongest.class} alone: ${figure(strongest)}.`;
  const many = vote?.at(-1);
  if (many && many.k !== TOGETHER && many.k > 1) text += ` From ${many.k} items of one subject: ${share(many.accuracy)}.`;
  return text;
}

function provedText({ certificate }, attribute) {
  if (!certificate) return "Nothing is proved: this audit has no certificate, so an attacker that nobody tried may find more.";
  const bits = Math.ceil(10 * certificate.maximal_leakage_bits) / 10;
  return `Proved, with ${share(100 * certificate.confidence)} confidence: no attacker, known or not, identifies the ${attribute} of one ` +
    `item more than ${above(certificate.pooled.bound)} of the time, where all classes and values are equally frequent. The truth ` +
    `lies between what was found and what is proved. About anything at all, one item tells at most ${bits} bits.`;
}

/** One term: a bar, and in words found ≤ true ≤ proved. */
function entry(name, found, bound, otherChance) {
  const chance = found?.chance ?? otherChance;
  const known = found ? `found ${share(found.accuracy)} ≤ ` : "";
  const text = bound === undefined ? `found ${share(found.accuracy)}; nothing proved` : `${known}true ≤ proved ${above(bound)}`;
  const term = document.createElement("dt"), description = document.createElement("dd");
  term.textContent = name;
  description.append(bar(chance, found?.accuracy, bound), `${text}; guessing ${share(chance)}`);
  return [term, description];
}

/** From 0 to 100 percent: a band from found to proved, a mark where an attacker was, a line where guessing is. */
function bar(chance, found, bound) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 300 16");
  svg.setAttribute("aria-hidden", "true");
  const draw = (name, kind, attributes) => {
    const shape = svg.appendChild(document.createElementNS(SVG, name));
    shape.setAttribute("class", kind);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
  };
  draw("rect", "track", { x: 0, y: 6, width: 300, height: 4 });
  if (bound !== undefined) {
    const from = Math.min(found ?? chance, bound);
    draw("rect", "between", { x: 3 * from, y: 5, width: Math.max(1.5, 3 * (Math.min(100, bound) - from)), height: 6 });
  }
  draw("line", "guess", { x1: 3 * chance, x2: 3 * chance, y1: 0, y2: 16 });
  if (found !== undefined) draw("circle", "found", { cx: 3 * found, cy: 8, r: 4.5 });
  return svg;
}
