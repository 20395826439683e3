// What the server learns: the outputs as numbers on their ranges, and the prediction it makes of them.

/** "12,345": digits in groups, with a true minus sign. */
export const number = (value) => Number(value).toLocaleString("en").replace("-", "−");
/** 0.9934 as "99.3 %". */
export const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** The outputs; `ranges` are the lowest and highest of each over the labelled items. Without outputs, places. */
export function showOutputs(list, count, outputs, ranges) {
  const items = Array.from({ length: count }, (_, at) => {
    const item = document.createElement("li");
    const value = item.appendChild(document.createElement("span"));
    value.className = outputs ? "value" : "value wait";
    value.textContent = outputs ? number(outputs[at]) : "–";
    const range = item.appendChild(document.createElement("span"));
    range.className = "range";
    if (ranges) range.title = `Labelled items: ${number(ranges[at][0])} to ${number(ranges[at][1])}`;
    if (outputs && ranges) {
      const [low, high] = ranges[at];
      const dot = range.appendChild(document.createElement("span"));
      dot.className = "dot";
      const share = (outputs[at] - low) / Math.max(1, high - low);
      dot.style.left = `${100 * Math.min(1, Math.max(0, share))}%`;
    }
    return item;
  });
  list.replaceChildren(...items);
}

/** One bar per class. */
export function showClasses(list, classes, probabilities) {
  const best = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
  const items = classes.map((name, at) => {
    const item = document.createElement("li");
    if (at === best) item.className = "best";
    const [label, bar, share] = ["name", "bar", "share"].map((part) => {
      const element = item.appendChild(document.createElement("span"));
      element.className = part;
      return element;
    });
    label.textContent = name;
    if (probabilities) {
      bar.style.setProperty("--share", percent(probabilities[at]).replace(" ", ""));
      share.textContent = percent(probabilities[at]);
    }
    return item;
  });
  list.replaceChildren(...items);
}

/** The lowest and highest value of each output over a cloud. */
export function rangesOf(outputs) {
  return outputs[0].map((_, at) => {
    const values = outputs.map((row) => row[at]);
    return [Math.min(...values), Math.max(...values)];
  });
}
